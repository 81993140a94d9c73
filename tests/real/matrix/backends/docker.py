"""Docker's column: Debian's dockerd on a socket of its own, with the fault front between it and the plugin."""

import json
import os
import re
import signal
import time

from backend import Absent, Backend, Missing
from lib.engine import CONTAINERD, DOCKERD, ApiError, Engine
from lib.registry import PROGRAM, Registry
from lib.tcpfront import Front, answer_of
from scripts import NOTHING

PASSWORD = "pw>>>???~~~"  # its base64 needs the digits in which the two alphabets differ
KINDS = {
    "any": ("[A-Z]+", r"."),
    "list": ("GET", r"^(/v[0-9.]+)?/containers/json"),
    "inspect": ("GET", r"^(/v[0-9.]+)?/containers/[^/]+/json"),
    "create": ("POST", r"^(/v[0-9.]+)?/containers/create"),
    "start": ("POST", r"^(/v[0-9.]+)?/containers/[^/]+/start"),
    "pull": ("POST", r"^(/v[0-9.]+)?/images/create"),
}
FORBIDDEN = answer_of(403, b'{"message":"forbidden by a rule of the proxy"}')
STATES = ("starting", "dead", "removing")


class Docker(Backend):
    name = "docker"
    plugin = "docker"

    def __init__(self):
        self.engine = self.front = self.forbids = self._registry = None
        self.wrong = None  # (method, path: regular expressions, whole answer)
        self.late = 0
        self.states = {}  # handle -> the state that is pretended

    # ----- its own engine

    def make_engine(self):
        return Engine()

    def start(self):
        if os.geteuid() != 0:
            raise Missing("needs root for dockerd")
        for path in (DOCKERD, CONTAINERD, PROGRAM, "/usr/bin/htpasswd", "/bin/busybox"):
            if not os.path.exists(path):
                raise Missing(f"{path} is missing: run tests/real/setup.sh")
        self.engine = self.make_engine()
        self.engine.start()
        for name, script in self.scripts.items():
            self.engine.make_image("test/" + name, command=["/bin/sh", "-c", script])
        self.engine.make_image("test/nothing", command=[NOTHING])
        self._registry = Registry("jo", PASSWORD)
        self._registry.start()
        self.front = Front(self.engine.home + "/front.sock", self.engine.socket, self.strike)

    def stop(self):
        for part in (self.front and self.front.close, self.forbids and self.forbids.close,
                     self._registry and self._registry.stop, self.engine and self.engine.stop):
            if part:
                part()

    def settings(self):
        return {"socket": "unix://" + self.front.address}

    def connector_settings(self):
        return {"network_mode": "none"}

    def clean(self):
        if self.last_words():
            self.engine.restart()
        self.honest()
        self.up()
        self._registry.front.on_request = None
        self._registry.front.flow()
        self.engine.remove_all()
        self.front.requests.clear()

    def asked(self):
        return [f"{method} {path}" for method, path in self.front.requests[-8:]]

    def last_words(self):
        return self.engine.last_words()

    # ----- images and the registry

    def image(self, name):
        return f"test/{name}:latest"

    def registry(self):
        return self._registry

    def push(self, name, script="busy", extra_bytes=0):
        return self._registry.put(self.engine, "test/" + name, "1", ["/bin/sh", "-c", self.scripts[script]], extra_bytes)

    def broken_image(self):
        """Its user is none of its own: with one whose program is missing, the init process starts."""
        self.engine.make_image("test/broken", command=["/bin/true"], user="nobody-knows")
        return self.image("broken")

    def away(self):
        return {"socket": f"unix://{self.engine.home}/nobody.sock"}

    def refused(self):
        """By a proxy before the socket that lets nothing pass."""
        if self.forbids is None:
            self.forbids = Front(self.engine.home + "/forbids.sock", self.engine.socket, lambda *_: FORBIDDEN)
        return {"socket": f"unix://{self.forbids.address}"}

    # ----- the truth

    def workloads(self, labels=None):
        found = []
        for item in self.engine.containers(labels):
            try:
                state = self.engine.inspect(item["Id"])["State"]
            except ApiError as error:
                if error.status != 404:
                    raise
                continue
            found.append({"handle": item["Id"], "name": item["Names"][0].lstrip("/") if item["Names"] else "",
                          "labels": item["Labels"], "running": state["Running"], "pid": state["Pid"] or None})
        return found

    def environment(self, handle):
        return self.engine.environment(handle)

    def kill(self, handle):
        # Not by the engine's own command, after which it would not restart the container.
        os.kill(self.engine.inspect(handle)["State"]["Pid"], signal.SIGKILL)

    def remove(self, handle):
        self.engine.remove(handle)

    def pause(self, handle):
        self.engine.api("POST", f"/containers/{handle}/pause")

    def outside(self, name, labels=None, script="busy", tty=False, start=True, environment=None):
        made = self.engine.api("POST", "/containers/create", {
            "Image": self.image(script), "Labels": labels or {}, "Tty": tty,
            "Env": [f"{key}={value}" for key, value in (environment or {}).items()],
            "HostConfig": {"NetworkMode": "none", "Init": True}}, {"name": name})["Id"]
        if start:
            self.engine.start_container(made)
        return made

    # ----- faults

    def strike(self, method, path, when):
        if when != "before":
            return None
        if self.late:
            time.sleep(self.late)
        if self.wrong and re.fullmatch(self.wrong[0], method) and re.search(self.wrong[1], path):
            return self.wrong[2]
        if self.states and method == "GET" and re.search(KINDS["list"][1] + "|" + KINDS["inspect"][1], path):
            status, body = self.engine.raw(method, path)
            return answer_of(status, self.pretended(body) if status == 200 else body)
        return None

    def pretended(self, body):
        answer = json.loads(body)
        for item in answer if isinstance(answer, list) else [answer]:
            state, inspected = self.states.get(item["Id"]), isinstance(item["State"], dict)
            if state == "starting" and inspected:
                item["State"]["Health"] = {"Status": "starting", "FailingStreak": 0, "Log": []}
            elif state == "starting":
                item["Status"] = "Up 2 seconds (health: starting)"
            elif state and inspected:
                item["State"].update(Status=state, Running=False, Pid=0, Dead=state == "dead")
            elif state:
                item["State"] = state
        return json.dumps(answer).encode()

    def answer(self, status, body, of="any"):
        self.wrong = (*KINDS[of], answer_of(status, body))

    def honest(self):
        self.wrong = None
        self.late = 0
        self.states = {}
        self.front.cut()

    def pretend(self, handle, state):
        if state not in STATES:
            raise Absent(f"it has no state '{state}'")
        self.states[handle] = state

    def down(self):
        self.engine.kill()

    def up(self):
        if self.engine.process.poll() is not None:
            self.engine.start()

    def slow(self, seconds):
        self.late = seconds

    def cut_streams(self):
        self.front.cut()
