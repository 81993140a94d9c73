"""What a case is given: the Scene, with its own driver, names and manager, on the column's backend.

    @case
    def stop_is_polite_then_hard(s): ...          beside other cases

    @case(alone=True)
    def engine_that_is_down(s): ...               may use the faults of the backend

A case at the driver's level makes its workloads by s.driver; they bear s.manager.  One at the daemon's level adds
connectors to s.platform, and s.daemon runs them: it is shared by the cases that run side by side, and of the case
alone where the case is alone.
"""

import os
import sys
import threading
import uuid

FOLDER = os.path.dirname(os.path.abspath(__file__))
REAL = os.path.dirname(FOLDER)
sys.path += [REAL, os.path.join(REAL, "plugin")]  # behind this folder, whose files have the same names

from driver import Driver  # noqa: E402  (the path comes first)
from lib.gantryd import Gantryd  # noqa: E402
from lib.platform import Platform  # noqa: E402
from lib.wait import eventually, stays  # noqa: E402

CASES = []


def case(function=None, *, alone=False):
    def add(f):
        f.alone = alone
        CASES.append(f)
        return f
    return add(function) if function else add


class Stage:
    """A platform and a daemon for the scenes of one backend that share them; made when first asked for."""

    def __init__(self, backend):
        self.backend = backend
        self.platform = None
        self.daemons = []
        self.lock = threading.Lock()

    def make_daemon(self, sections=None):
        """Not started yet; the platform knows its key, so that connectors can be added."""
        with self.lock:
            if self.platform is None:
                self.platform = Platform("real").start()
            daemon = Gantryd(None, self.platform.url, {**self.backend_section(), **(sections or {})})
            self.platform.verb("single", on=False)
            self.platform.knows_manager(daemon.manager_id, daemon.public_key)
            self.daemons.append(daemon)
            return daemon

    def backend_section(self):
        backend = self.backend
        section = {**backend.settings(), **backend.connector_settings()}
        if backend.plugin != backend.name:
            section["plugin"] = backend.plugin
        return {f"backend {backend.name}": section}

    def end_daemons(self):
        for daemon in self.daemons:
            daemon.clean()
        self.daemons.clear()
        if self.platform:
            self.platform.reset()

    def close(self):
        self.end_daemons()
        if self.platform:
            self.platform.stop()


class Scene:
    def __init__(self, stage, function, shared_daemon=None):
        self.stage = stage
        self.backend = stage.backend
        self.word = "-".join(function.__name__.split("_")[:3])
        self.manager = str(uuid.uuid4())
        self.closing = []
        self._driver = None
        self._daemon = shared_daemon

    # ----- the driver's level

    def new_driver(self, **more):
        driver = Driver(self.backend.plugin, {**self.backend.settings(), **self.backend.connector_settings(), **more})
        self.closing.append(driver.close)
        return driver

    @property
    def driver(self):
        if self._driver is None:
            self._driver = self.new_driver()
        return self._driver

    def name(self, word="one"):
        return f"{self.word}-{word}"

    def spec(self, word="one", image="busy", settings=None, **more):
        """image: a name of SCRIPTS, or a whole reference."""
        name = self.name(word)
        whole = ":" in image or "/" in image
        given = {"id": name, "name": name, "hash": "h1", **more}
        labels = self.labels(given["id"], given["hash"])
        return {"image": image if whole else self.backend.image(image), "labels": labels,
                "settings": {**self.backend.connector_settings(), **(settings or {})}, **given}

    def labels(self, connector, hash_="h1"):
        found = {"opencti-manager": self.manager, "opencti-connector-id": connector, "opencti-platform": "opencti"}
        return {**found, "gantry.hash": hash_} if hash_ else found

    def daemon_labels(self, connector, hash_):
        """Of a workload that looks like one of the daemon's."""
        found = {"opencti-manager": self.daemon.manager_id, "opencti-connector-id": connector, "opencti-platform": "opencti",
                 "gantry.platform": "opencti"}
        return {**found, "gantry.hash": hash_} if hash_ else found

    def own(self):
        return self.backend.workloads({"opencti-manager": self.manager})

    def seen(self, handle):
        """The truth about one workload; None: it is not there."""
        return next((w for w in self.backend.workloads() if w["handle"] == handle), None)

    def environment(self, handle, name):
        """That of its main process, which has this variable once it is the program itself and not its starter."""
        def probe():
            found = self.backend.environment(handle)
            assert name in found, f"no {name} among {list(found)[:20]}"
            return found
        return eventually(probe, 10, f"variable {name}", pause=0.1)

    def outside(self, name, **more):
        """A workload that somebody else makes; it goes with the case."""
        handle = self.backend.outside(name, **more)
        self.closing.append(lambda: self.backend.remove(handle))
        return handle

    # ----- the daemon's level

    @property
    def platform(self):
        self.daemon  # which comes with it
        return self.stage.platform

    @property
    def daemon(self):
        if self._daemon is None:
            self._daemon = self.stage.make_daemon()
            self._daemon.start()
        return self._daemon

    def own_daemon(self, **sections):
        """Instead of the shared one: with settings and a platform of its own, and not started yet."""
        self.stage = Stage(self.backend)
        self.closing.append(self.stage.close)
        self._daemon = self.stage.make_daemon(sections)
        return self._daemon

    def add(self, word="one", image="busy", **more):
        """A connector on the platform; its id."""
        whole = ":" in image or "/" in image
        return self.platform.add(self.name(word), image if whole else self.backend.image(image), **more)

    def of(self, connector):
        return self.backend.workloads({"opencti-manager": self.daemon.manager_id, "opencti-connector-id": connector})

    def running(self, connector, timeout=40, other_than=None, hash_=None):
        """Wait until exactly one workload of the connector exists and runs; it.

        other_than: a handle and pid (mark()) that it must not have any more."""
        def probe():
            found = self.of(connector)
            assert len(found) == 1, f"{len(found)} workloads: {[(w['name'], w['running']) for w in found]}"
            assert found[0]["running"] and found[0]["pid"], "it does not run"
            assert other_than is None or mark_of(found[0]) != other_than, "still the old one"
            assert hash_ is None or found[0]["labels"].get("gantry.hash") == hash_, "another hash"
            return found[0]
        return eventually(probe, timeout, f"one running workload of {connector}", pause=0.2)

    def stopped(self, connector, timeout=40):
        def probe():
            found = self.of(connector)
            assert len(found) == 1 and not found[0]["running"], [(w["name"], w["running"]) for w in found]
            return found[0]
        return eventually(probe, timeout, f"the workload of {connector} is stopped", pause=0.2)

    def gone(self, connector, timeout=40):
        eventually(lambda: not self.of(connector), timeout, f"no workload of {connector}", pause=0.2)

    def mark(self, connector):
        return mark_of(self.running(connector))

    def settled(self, connectors, timeout=60):
        """Wait until gantryd has ended what it does for them: a newer wish would break it off."""
        def probe():
            last = {line.get("connector"): line["event"] for line in self.daemon.lines() if line.get("event", "").startswith("action ")}
            busy = [connector for connector in connectors if last.get(connector) == "action begins"]
            assert not busy, f"it still acts for {busy[:3]}"
            return True
        eventually(probe, timeout, "what has begun is done", pause=0.2)

    def runs(self, *connectors):
        """Wait until they run, are reported, and nothing is being done for them; {connector: mark}."""
        marks = {connector: self.mark(connector) for connector in connectors}
        for connector in connectors:
            self.reported(connector, "started")
        self.settled(connectors)
        return marks

    def stays(self, marks, seconds):
        """marks: {connector: mark}; nothing is made, removed or started anew all the time."""
        def same():
            for connector, mark in marks.items():
                now = [mark_of(w) for w in self.of(connector)]
                assert now == [mark], f"{connector} was {mark}, is {now}"
            return True
        stays(same, seconds, pause=0.3)

    def reported(self, connector, status, timeout=25):
        eventually(lambda: self.platform.status(connector) == status, timeout, f"status {status} is reported", pause=0.2)

    def logs_say(self, connector, *words, timeout=25):
        def probe():
            text = self.platform.logs_text(connector)
            missing = [word for word in words if word not in text]
            assert not missing, f"{missing} not in {text[-600:]!r}"
            return True
        eventually(probe, timeout, f"the platform's logs of {connector} say {words}", pause=0.2)

    def health(self, connector):
        return self.platform.report(connector)["health"] or {}

    def close(self):
        problems = []
        for close in reversed(self.closing):
            try:
                close()
            except Exception as error:
                problems.append(f"while ending: {error}")
        return problems


def mark_of(workload):
    """What stays the same while nobody touches it: handle, and pid, which is another after each start."""
    return workload["handle"], workload["pid"]
