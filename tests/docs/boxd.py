"""boxd, the runtime of docs/plugins.md: boxes in memory, which run nothing and note when they were started and stopped."""
import http.server
import itertools
import queue
import threading
import time
import urllib.parse

STATES = {"start": "running", "stop": "exited"}


class Box:
    def __init__(self, handle, fields):
        self.handle, self.state, self.lines = handle, "created", []
        self.name, self.image = dict(fields)["name"], dict(fields)["image"]
        self.labels, self.env = ([value for key, value in fields if key == kind] for kind in ("label", "env"))
        self.times = {}

    def become(self, state):
        if self.state != state:
            self.state = state
            self.times["started_ms" if state == "running" else "finished_ms"] = time.time_ns() // 1000000
            self.lines.append((time.time_ns(), "stdout", f"{self.name} is {state}"))

    def text(self, env=()):
        fields = [("handle", self.handle), ("name", self.name), ("image", self.image), ("state", self.state)]
        fields += [("label", label) for label in self.labels] + [("env", value) for value in env]
        return urllib.parse.urlencode(fields + list(self.times.items())) + "\n"

    def log(self, after, lines, size, line_size):
        found, left = [], size or 1 << 62
        for number, (time_ns, stream, text) in reversed(list(enumerate(self.lines, 1))):
            if 0 < line_size < len(text):
                text = text[:line_size] + " [cut]"
            left -= len(text)
            if number <= after or 0 < lines == len(found) or left < 0:
                break
            found.insert(0, urllib.parse.urlencode({"number": number, "time_ns": time_ns, "stream": stream, "text": text}) + "\n")
        return "".join(found)


class Boxd(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, token):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.token, self.boxes, self.watchers = token, {}, set()
        self.lock, self.count = threading.RLock(), itertools.count(1)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass # clients that leave early: calls are cancelled

    def find(self, labels, name):
        return [box for box in self.boxes.values() if set(labels) <= set(box.labels) and name in (None, box.name)]

    def tell(self, box):
        for labels, changes in list(self.watchers):
            if set(labels) <= set(box.labels):
                changes.put(box.handle)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1 # one segment for head and body

    def log_message(self, *_):
        pass

    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def handle_any(self):
        path, _, question = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self.answer(401)
        fields = urllib.parse.parse_qsl(question, keep_blank_values=True)
        form = urllib.parse.parse_qsl(body, keep_blank_values=True)
        if path == "/events":
            return self.events([value for key, value in fields if key == "label"])
        with self.server.lock:
            return self.answer(*self.act(self.command, path.split("/")[1:], fields, form))

    do_GET = do_POST = do_DELETE = handle_any

    def act(self, method, path, fields, form):
        server, asked = self.server, dict(fields)
        if path == ["version"]:
            return 200, "product=boxd&version=1.0&instance=a1b2\n"
        if path == ["boxes"] and method == "GET":
            labels = [value for key, value in fields if key == "label"]
            return 200, "".join(box.text() for box in server.find(labels, asked.get("name")))
        if path == ["boxes"]:
            return self.make(form)
        box = server.boxes.get(path[1])
        if not box:
            return 404, ""
        if method == "DELETE":
            del server.boxes[box.handle]
            server.tell(box)
            return 204, ""
        if path[2:] == ["log"]:
            return 200, box.log(*(int(asked[key]) for key in ("after", "lines", "bytes", "line_bytes")))
        if path[2:] == ["start"] and box.image == "example/broken:1":
            return 500, ""
        if path[2:] in (["start"], ["stop"]):
            if (path[2], box.state) != ("stop", "created"):
                box.become(STATES[path[2]])
            server.tell(box)
        elif path[2:] == ["rename"]:
            box.name = asked["name"]
        return 200, box.text(box.env if method == "GET" else ())

    def make(self, form):
        if dict(form)["image"] == "example/missing:1":
            return 422, ""
        if self.server.find([], dict(form)["name"]):
            return 409, ""
        box = Box(f"b{next(self.server.count)}", form)
        self.server.boxes[box.handle] = box
        return 201, box.text()

    def events(self, labels):
        watcher = (tuple(labels), queue.Queue())
        self.server.watchers.add(watcher)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            line = "ready"
            while True:
                self.wfile.write(f"{line}\n".encode())
                self.wfile.flush()
                try:
                    line = watcher[1].get(timeout=1)
                except queue.Empty:
                    line = "" # so that a connection that is gone is noticed
        except OSError:
            self.server.watchers.discard(watcher)
