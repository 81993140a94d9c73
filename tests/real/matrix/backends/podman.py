"""Podman's columns, root's and a user's: Debian's Podman on a socket of its own, with the fault front before it."""

import json
import os
import re
import signal
import time

from backend import Absent, Backend, Missing
from lib.engine import ApiError
from lib.podman import Podman, missing_part
from lib.registry import PROGRAM, Registry
from lib.tcpfront import Front, answer_of
from scripts import NOTHING

PASSWORD = "pw>>>???~~~"  # its base64 needs the digits in which the two alphabets differ
API = r"^(/v[0-9.]+/libpod)"
KINDS = {
    "any": ("[A-Z]+", r"."),
    "list": ("GET", API + r"/containers/json"),
    "inspect": ("GET", API + r"/containers/[^/]+/json"),
    "create": ("POST", API + r"/containers/create"),
    "start": ("POST", API + r"/containers/[^/]+/start"),
    "pull": ("POST", API + r"/images/pull"),
}
FORBIDDEN = answer_of(403, b'{"message":"forbidden by a rule of the proxy"}')
STATES = {"starting": "initialized", "stopping": "stopping", "removing": "removing"}


class PodmanOfRoot(Backend):
    name = "podman"
    plugin = "podman"
    rootless = False
    opt_out = {
        "crash_is_restarted_by_the_engine_until_it_is_told_to_stop":
            "Podman restarts without a pause, so Gantry does it (restart = no); tests/real/cases/podman.py has the rest",
        "want_of_memory_is_told": "Podman 4.3 with runc on cgroup v1 does not tell it: OOMKilled stays false",
    }

    def __init__(self):
        self.engine = self.front = self.forbids = self._registry = None
        self.wrong = None  # (method, path: regular expressions, whole answer)
        self.late = 0
        self.states = {}  # handle -> the state that is pretended

    # ----- its own engine

    def start(self):
        missing = missing_part(self.rootless)
        if missing:
            raise Missing(missing)
        for path in (PROGRAM, "/usr/bin/htpasswd"):
            if not os.path.exists(path):
                raise Missing(f"{path} is missing: run tests/real/setup.sh")
        self.engine = Podman(self.rootless)
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
        return {"socket": "unix://" + self.front.address, "insecure_registries": [self._registry.host]}

    def connector_settings(self):
        return {"network_mode": "none"}

    def clean(self):
        self.honest()
        self.up()
        self._registry.front.on_request = None
        self._registry.front.flow()
        self.engine.remove_all()
        self.front.requests.clear()

    def asked(self):
        return [f"{method} {path}" for method, path in self.front.requests[-8:]]

    # ----- images and the registry

    def image(self, name):
        return f"localhost/test/{name}:latest"

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
            running = item["State"] in ("running", "paused")  # one that has just ended may still show a pid
            found.append({"handle": item["Id"], "name": item["Names"][0], "labels": item["Labels"] or {},
                          "running": running, "pid": item["Pid"] or None if running else None})
        return found

    def kill(self, handle):
        os.kill(self.engine.inspect(handle)["State"]["Pid"], signal.SIGKILL)

    def remove(self, handle):
        self.engine.remove(handle)

    def pause(self, handle):
        self.engine.api("POST", f"/containers/{handle}/pause")

    def outside(self, name, labels=None, script="busy", tty=False, start=True, environment=None):
        return self.engine.create(name, self.image(script), labels, environment, start=start, terminal=tty)

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
            state = self.states.get(item["Id"])
            if state and isinstance(item["State"], str):
                item["State"] = state
            elif state:
                item["State"].update(Status=state, Running=False, Pid=0)
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
        self.states[handle] = STATES[state]

    def down(self):
        self.engine.kill()

    def up(self):
        if self.engine.process.poll() is not None:
            self.engine.start()

    def slow(self, seconds):
        self.late = seconds

    def cut_streams(self):
        self.front.cut()


class PodmanOfUser(PodmanOfRoot):
    name = "podman-rootless"
    rootless = True
    opt_out = {
        **PodmanOfRoot.opt_out,
        "hardened_workload_has_a_read_only_root_and_no_capability":
            "the host's root has no number in a user's containers, so the probe cannot write; see tests/real/cases/podman.py",
    }

    def pause(self, handle):
        try:
            super().pause(handle)
        except ApiError as error:
            raise Absent("a user's Podman cannot pause where cgroups are not his") from error
