"""What the columns of container engines have in common: an engine on a socket of its own, a registry, and the fault front
between the engine and the plugin."""

import os
import re
import signal
import time

from backend import Absent, Backend, Missing
from lib.registry import PROGRAM, Registry
from lib.tcpfront import Front, answer_of
from scripts import NOTHING

PASSWORD = "pw>>>???~~~"  # its base64 needs the digits in which the two alphabets differ
FORBIDDEN = answer_of(403, b'{"message":"forbidden by a rule of the proxy"}')


class EngineColumn(Backend):
    kinds = {}  # what answer() is about -> (method, path: regular expressions)
    known_states = {}  # what can be pretended -> the engine's word for it

    def __init__(self):
        self.engine = self.front = self.forbids = self._registry = None
        self.wrong = None  # (method, path: regular expressions, whole answer)
        self.late = 0
        self.states = {}  # handle -> the state that is pretended, in the engine's word

    # ----- its own engine

    def missing_part(self):
        """What the engine lacks on this machine, and how it is installed; or None."""
        raise NotImplementedError

    def make_engine(self):
        raise NotImplementedError

    def start(self):
        missing = self.missing_part() or missing_file(PROGRAM, "/usr/bin/htpasswd")
        if missing:
            raise Missing(missing)
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
        self.honest()
        self.up()
        self._registry.front.on_request = None
        self._registry.front.flow()
        self.engine.remove_all()
        self.front.requests.clear()

    def asked(self):
        return [f"{method} {path}" for method, path in self.front.requests[-8:]]

    # ----- images and the registry

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

    def kill(self, handle):
        # Not by the engine's own command, after which it would not restart the container.
        os.kill(self.engine.inspect(handle)["State"]["Pid"], signal.SIGKILL)

    def remove(self, handle):
        self.engine.remove(handle)

    def pause(self, handle):
        self.engine.api("POST", f"/containers/{handle}/pause")

    # ----- faults

    def strike(self, method, path, when):
        if when != "before":
            return None
        if self.late:
            time.sleep(self.late)
        if self.wrong and re.fullmatch(self.wrong[0], method) and re.search(self.wrong[1], path):
            return self.wrong[2]
        if self.states and method == "GET" and self.tells_states(path):
            status, body = self.engine.raw(method, path)
            return answer_of(status, self.pretended(body) if status == 200 else body)
        return None

    def tells_states(self, path):
        return re.search(self.kinds["list"][1] + "|" + self.kinds["inspect"][1], path)

    def pretended(self, body):
        """An answer that tells states, with those of `states` in it."""
        raise NotImplementedError

    def answer(self, status, body, of="any"):
        self.wrong = (*self.kinds[of], answer_of(status, body))

    def honest(self):
        self.wrong = None
        self.late = 0
        self.states = {}
        self.front.cut()

    def pretend(self, handle, state):
        if state not in self.known_states:
            raise Absent(f"it has no state '{state}'")
        self.states[handle] = self.known_states[state]

    def down(self):
        self.engine.kill()

    def up(self):
        if self.engine.process.poll() is not None:
            self.engine.start()

    def slow(self, seconds):
        self.late = seconds

    def cut_streams(self):
        self.front.cut()


def missing_file(*paths):
    """The first of these that is not there, in words; or None."""
    return next((f"{path} is missing: run tests/real/setup.sh" for path in paths if not os.path.exists(path)), None)
