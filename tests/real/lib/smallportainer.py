"""What Portainer does and nginx cannot: a small server before an engine's socket, without TLS.

 - every answer is decoded and written anew: other order, keys of Portainer's own, large numbers rounded;
 - X-Registry-Auth of {"registryId": N} becomes the credentials that it holds, or empty ones;
 - by_id: containers are denied by name, as they are to a user who is no administrator;
 - nodes: agents of a swarm.  A container is on the machine that it was made on, and is not known on the others.
"""

import base64
import http.client
import itertools
import json
import re
import socket
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .engine import UnixConnection
from .portainer import KEY, MISSING, environment

PREFIX = re.compile(r"^/api/endpoints/(\d+)/docker(/.*)$")
CONTAINER = re.compile(r"^(?:/v[0-9.]+)?/containers/([^/?]+)(?:/[a-z]+)?(?:\?.*)?$")
OPEN = re.compile(r"/containers/json|/containers/create|/events")


class SmallPortainer:
    def __init__(self, engine, kind=1, nodes=(), registries=None, by_id=False):
        self.engine = engine
        self.environments = [environment(2, "small", kind)]
        self.nodes = list(nodes)
        self.registries = registries or {}
        self.by_id = by_id
        self.node_of = {}  # container -> node
        self.anybody = itertools.cycle(self.nodes)  # agents answer in turn where none is named
        self.requests = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.portainer = self
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self):
        return {"url": self.url, "api_key": KEY, "environment": "small"}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def rewritten(value, node=None):
    """As a decoder and an encoder of Go leave it that keep numbers as doubles."""
    if isinstance(value, dict):
        return {key: rewritten(value[key]) for key in sorted(value, reverse=True)}
    if isinstance(value, list):
        return [rewritten(item) for item in value]
    return int(float(value)) if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2 ** 53 else value


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, value):
        body = value if isinstance(value, bytes) else json.dumps(value, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(body)

    def refuse(self, status, message, details):
        self.say(status, {"message": message, "details": details})

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None

    def handle_request(self):
        portainer = self.server.portainer
        body = self.body()
        portainer.requests.append((self.command, self.path, dict(self.headers)))
        if self.headers.get("X-API-Key") != KEY:
            return self.refuse(401, "Invalid JWT token", "Invalid JWT token")
        if self.path.split("?")[0] == "/api/endpoints":
            return self.say(200, portainer.environments)
        found = PREFIX.match(self.path)
        if not found or "/edge/" in urllib.parse.unquote(self.path.split("?")[0]):
            return self.refuse(404, *MISSING)
        if int(found.group(1)) not in [e["Id"] for e in portainer.environments]:
            return self.refuse(404, *MISSING)
        return self.docker(found.group(2), body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_request

    def docker(self, path, body):
        portainer = self.server.portainer
        target = self.headers.get("X-PortainerAgent-Target")
        node = target or (next(portainer.anybody) if portainer.nodes else None)
        container = CONTAINER.match(path) if not OPEN.search(path) else None
        if container:
            name = container.group(1)
            if portainer.by_id and not re.fullmatch("[0-9a-f]{64}", name):
                return self.refuse(403, "Access denied to resource", "Access denied to resource")
            if node and portainer.node_of.get(name, node) != node:
                return self.say(404, {"message": f"No such container: {name}"})
        headers = {key: value for key, value in self.headers.items() if key in ("Content-Type", "X-Registry-Auth")}
        self.substitute(headers)
        connection = UnixConnection(portainer.engine.socket, 120)
        try:
            connection.request(self.command, path, body=body, headers=headers)
            answer = connection.getresponse()
            if "/events" in path and answer.status == 200:
                return self.stream(answer)
            self.pass_on(path, answer.status, answer.read(), node, target)
        finally:
            connection.close()

    def substitute(self, headers):
        """Portainer wants the standard alphabet, with padding."""
        given = headers.get("X-Registry-Auth")
        try:
            number = json.loads(base64.b64decode(given, validate=True)).get("registryId") if given else None
        except ValueError:
            number = None
        if number is None:
            return
        user, password = self.server.portainer.registries.get(number, ("", ""))
        text = json.dumps({"username": user, "password": password, "serveraddress": ""}).encode()
        headers["X-Registry-Auth"] = base64.urlsafe_b64encode(text).decode()

    def stream(self, answer):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        try:
            while data := answer.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except (OSError, http.client.HTTPException, socket.timeout):
            self.close_connection = True

    def pass_on(self, path, status, data, node, target):
        portainer = self.server.portainer
        try:
            value = rewritten(json.loads(data))
        except ValueError:
            return self.say(status, data)  # logs, progress
        if status == 201:
            status = 200
            value["Portainer"] = {"ResourceControl": {"Id": 1, "Public": False}}
            if node and "/containers/create" in path:
                portainer.node_of[value["Id"]] = node
        if "/containers/json" in path and isinstance(value, list):
            value = [self.on_node(item) for item in value]
            if target:
                value = [item for item in value if item["Portainer"]["Agent"]["NodeName"] == target]
        elif isinstance(value, dict) and status == 200:
            value["IsPortainer"] = True
        if path.split("?")[0].endswith("/info") and portainer.nodes:
            value["Swarm"] = {"LocalNodeState": "active", "ControlAvailable": True}
        self.say(status, value)

    def on_node(self, item):
        portainer = self.server.portainer
        own = {"ResourceControl": {"Id": 1}}
        if portainer.nodes:
            own["Agent"] = {"NodeName": portainer.node_of.get(item["Id"], portainer.nodes[0])}
        return {**item, "Portainer": own, "IsPortainer": False}
