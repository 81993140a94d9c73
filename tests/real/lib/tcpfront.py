"""A byte proxy for TCP and unix sockets that can stop, cut or watch what passes.

The tests put it before the registry (a download that stalls or breaks) and before the engine (to act in the
very moment in which a certain request is on its way).
"""

import http.client
import os
import re
import select
import socket
import struct
import threading

REQUEST = re.compile(rb"^(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n", re.M)


class Front:
    """listen, target: (host, port) or the path of a unix socket.

    on_request(method, path, when): called with when = "before" as a request's head arrives and with "after"
    once it was passed on; returning "hang" or "cut" in "before" does that to the connection, and bytes are the
    answer in place of the other side's (see answer_of()).
    """

    def __init__(self, listen, target, on_request=None):
        self.target = target
        self.on_request = on_request
        self.on_answer = None  # what passes instead of these bytes of the answer
        self.limit = None  # (regex of paths, bytes of the answer that still pass, "hang" or "cut")
        self.requests = []
        self.open = True
        self.connections = set()
        self.lock = threading.Lock()
        family = socket.AF_UNIX if isinstance(listen, str) else socket.AF_INET
        self.server = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET:
            self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif os.path.exists(listen):
            os.unlink(listen)
        self.server.bind(listen)
        self.server.listen(64)
        self.address = self.server.getsockname()
        threading.Thread(target=self._accept, name="front", daemon=True).start()

    def stall(self, path, after_bytes=0, how="hang"):
        self.limit = (re.compile(path), after_bytes, how)

    def flow(self):
        """Let everything pass again; what hangs is cut, so that clients try anew."""
        self.limit = None
        self.cut()

    def cut(self):
        with self.lock:
            connections = list(self.connections)
        for connection in connections:
            reset(connection)

    def close(self):
        self.open = False
        try:
            self.server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.server.close()
        self.cut()

    def _accept(self):
        while self.open:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        family = socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET
        upstream = socket.socket(family, socket.SOCK_STREAM)
        with self.lock:
            self.connections.add(client)
        try:
            upstream.connect(self.target)
            self._pump(client, upstream)
        except OSError:
            pass
        finally:
            with self.lock:
                self.connections.discard(client)
            client.close()
            upstream.close()

    def _pump(self, client, upstream):
        left, how = None, None
        readers = [client, upstream]
        while self.open:
            ready, _, _ = select.select(readers, [], [], 1.0)
            if client.fileno() < 0:
                return
            if client in ready:
                data = client.recv(65536)
                if not data:
                    return
                found = REQUEST.search(data)
                if found:
                    method, path = found.group(1).decode(), found.group(2).decode()
                    self.requests.append((method, path))
                    left, how = None, None
                    if self.limit and self.limit[0].search(path) and method == "GET":
                        _, left, how = self.limit
                    verdict = self.on_request and self.on_request(method, path, "before")
                    if verdict == "cut":
                        reset(client)
                        return
                    if verdict == "hang":
                        readers = [client]
                        continue
                    if isinstance(verdict, bytes):
                        client.sendall(verdict.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else verdict)
                        drain(client)
                        return
                upstream.sendall(data)
                if found and self.on_request:
                    self.on_request(method, path, "after")
            if upstream in ready:
                data = upstream.recv(65536)
                if not data:
                    return
                if self.on_answer:
                    data = self.on_answer(data)
                if left is not None:
                    data, left = data[:left], left - len(data)
                    client.sendall(data)
                    if left <= 0 and how == "cut":
                        reset(client)
                        return
                    if left <= 0:
                        readers = [client]
                    continue
                client.sendall(data)


def answer_of(status, body, kind="application/json"):
    """A whole HTTP answer, after which the connection ends."""
    head = (f"HTTP/1.1 {status} {http.client.responses.get(status, 'Odd')}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
    return head.encode() + body


def drain(connection):
    """End it without a reset, which would overtake the answer: what is still being sent has to be read first."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass


def reset(connection):
    """Close so that the other side gets a reset, not an end."""
    try:
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR) if connection.family == socket.AF_UNIX else connection.close()
    except OSError:
        pass
