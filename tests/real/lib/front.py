"""A front before the platform that answers wrongly on demand.

It passes requests on to the real server, one upstream connection for each of the client's, and applies the
fault that is switched on.  Where a fault is a wrong word in a right answer, the real answer is rewritten.
"""

import copy
import http.client
import json
import re
import socket
import struct
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTML = b"<html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"
LIST = "connectorsForManagers"


# ----- faults that answer themselves: (status, content type, body)

ANSWERS = {
    "garbage": (200, "application/json", bytes(range(128, 256)) * 20 + b"\0{]"),
    "html": (200, "text/html", HTML),
    "html_502": (502, "text/html", HTML),
    "status_401": (401, "application/json", b'{"message":"no"}'),
    "status_500": (500, "application/json", b'{"message":"internal"}'),
    "status_429": (429, "application/json", b'{"message":"Too many requests"}'),
    "nothing": (200, "application/json", b""),
    "null": (200, "application/json", b"null"),
    "data_null": (200, "application/json", b'{"data":null}'),
    "no_data": (200, "application/json", b"{}"),
    "list_null": (200, "application/json", b'{"data":{"connectorsForManagers":null}}'),
    "not_a_list": (200, "application/json", b'{"data":{"connectorsForManagers":"none"}}'),
    "deep": (200, "application/json", b'{"data":' + b"[" * 100000),
    "auth_required": (200, "application/json", json.dumps({
        "data": {LIST: None},
        "errors": [{"message": "You must be logged in to do this.", "path": [LIST],
                    "extensions": {"code": "AUTH_REQUIRED", "data": {"http_status": 401}}}]}).encode()),
}


# ----- faults in one connector of a right answer; connector: the id that is meant

def of_connector(change):
    def rewrite(answer, connector):
        items = (answer.get("data") or {}).get(LIST) or []
        for index, item in enumerate(items):
            if item and item.get("id") == connector:
                change(items, index, item)
                break  # it may have changed the list
        return answer
    return rewrite


def set_field(field, value):
    def change(_items, _index, item):
        if field in item:
            item[field] = value
    return of_connector(change)


def drop_field(field):
    return of_connector(lambda _items, _index, item: item.pop(field, None))


def partial(answer, connector):
    answer = of_connector(lambda items, index, _item: items.__delitem__(index))(answer, connector)
    answer["errors"] = [{"message": "Lock error", "path": [LIST, 0, "manager_contract_hash"],
                         "extensions": {"code": "LOCK_ERROR", "data": {"http_status": 500}}}]
    return answer


def emptied(answer, _connector):
    if LIST in (answer.get("data") or {}):
        answer["data"][LIST] = []
    return answer


REWRITES = {
    "partial": partial,
    "empty_list": emptied,
    "id_null": set_field("id", None),
    "id_absent": drop_field("id"),
    "image_null": set_field("manager_contract_image", None),
    "image_empty": set_field("manager_contract_image", ""),
    "hash_null": set_field("manager_contract_hash", None),
    "hash_absent": drop_field("manager_contract_hash"),
    "status_null": set_field("manager_requested_status", None),
    "status_unknown": set_field("manager_requested_status", "pausing"),
    "configuration_null": set_field("manager_contract_configuration", None),
    "twice": of_connector(lambda items, index, item: items.insert(index + 1, copy.deepcopy(item))),
    "item_null": of_connector(lambda items, index, _item: items.__setitem__(index, None)),
    "missing": of_connector(lambda items, index, _item: items.__delitem__(index)),
}

CONNECTION = ("truncated", "reset_reused", "reset", "hang", "close_early")
FAULTS = sorted([*ANSWERS, *REWRITES, *CONNECTION])


class Front:
    def __init__(self, upstream):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.release = threading.Event()
        self.clear()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def setup(self):
                super().setup()
                self.served = 0
                self.far = None

            def log_message(self, *_):
                pass

            def do_POST(self):
                front.serve(self)
                self.served += 1

            def finish(self):
                if self.far:
                    self.far.close()
                try:
                    super().finish()
                except OSError:
                    pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # the client went away, or a fault of ours broke the connection

        self.make_server = lambda port: Server(("127.0.0.1", port), Handler)
        self.listen(0)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def listen(self, port):
        """Also again, on the port that it had, after stop()."""
        self.server = self.make_server(port)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def set(self, fault, connector=None, field=None):
        """field: only documents that name this root field; None: all."""
        assert fault in FAULTS, fault
        self.release.set()
        self.release = threading.Event()
        self.fault, self.connector = fault, connector
        self.field = re.compile(r"\b" + field + r"\b") if field else None
        self.hits = 0

    def clear(self):
        self.release.set()
        self.fault, self.connector, self.field = None, None, None
        self.hits = 0

    def stop(self):
        self.clear()
        self.server.shutdown()
        self.server.server_close()

    # ----- one request

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fault, release = self.fault, self.release
        if fault and self.field and not self.field.search(body.decode(errors="replace")):
            fault = None
        if fault == "reset_reused" and handler.served == 0:
            fault = None
        if fault is None:
            return send(handler, *self.forward(handler, body))
        self.hits += 1
        if fault in ANSWERS:
            return send(handler, *ANSWERS[fault])
        if fault in ("reset", "reset_reused"):
            return abort(handler)
        if fault == "hang":
            release.wait(600)
            return abort(handler)
        status, kind, answer = self.forward(handler, body)
        if fault == "truncated":
            handler.send_response(status)
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(answer) + 500))
            handler.end_headers()
            handler.wfile.write(answer[:len(answer) // 2])
            handler.close_connection = True
            return None
        if fault == "close_early":
            handler.close_connection = True
            return None
        try:
            rewritten = REWRITES[fault](json.loads(answer), self.connector)
            answer = json.dumps(rewritten).encode()
        except ValueError:
            pass
        return send(handler, status, kind, answer)

    def forward(self, handler, body):
        headers = {name: handler.headers[name] for name in ("Content-Type", "Accept", "Authorization")
                   if handler.headers[name]}
        for _ in range(2):  # the server closes idle connections after a few seconds
            if handler.far is None:
                handler.far = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=600)
            try:
                handler.far.request("POST", handler.path, body, headers)
                answer = handler.far.getresponse()
                return answer.status, answer.headers["Content-Type"], answer.read()
            except (OSError, http.client.HTTPException):
                handler.far.close()
                handler.far = None
        return 502, "text/html", HTML


def send(handler, status, kind, body):
    handler.send_response(status)
    handler.send_header("Content-Type", kind or "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def abort(handler):
    """A reset: nothing was answered."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
