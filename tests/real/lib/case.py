"""Named cases that share an engine, a platform and a registry, and what a case is given: the World.

    @case
    def stopping_stops_the_container(world): ...

    @case(each=("seed", "real"))         # once for every value, as world.sdl
    def ...

Each case prints one line, `ok NAME (time)` or `FAIL NAME` with the reason and the daemon's last lines.
"""

import os
import signal
import time
import traceback

from .engine import CONTAINERD, DOCKERD, Engine
from .front import Front
from .gantryd import Gantryd, program
from .platform import FOLDER, Platform
from .registry import Registry

CASES = []
SKIP_STATUS = 77


class Skip(Exception):
    """The case cannot run here; the reason."""


def case(function=None, *, each=(None,), needs_gantryd=True):
    def add(f):
        for value in each:
            CASES.append((f.__name__ + (f"[{value}]" if value else ""), f, value, needs_gantryd))
        return f
    return add(function) if function else add


class World:
    """Parts are started when they are first asked for, shared by the cases of a file, and emptied after each."""

    def __init__(self):
        self._engine = None
        self._platforms = {}
        self._registries = {}
        self.fresh("real")

    def fresh(self, sdl):
        self.sdl = sdl or "real"
        self.daemons = []
        self.closing = []

    @property
    def engine(self):
        if self._engine is None:
            self._engine = Engine().start()
            self._engine.make_images()
        return self._engine

    def platform_of(self, sdl):
        if sdl not in self._platforms:
            self._platforms[sdl] = Platform(sdl).start()
        return self._platforms[sdl]

    @property
    def platform(self):
        return self.platform_of(self.sdl)

    def registry(self, user=None, password=None):
        if user not in self._registries:
            self._registries[user] = Registry(user, password).start()
        return self._registries[user]

    def front(self):
        front = Front(self.platform.url)
        self.closing.append(front.stop)
        return front

    def gantryd(self, engine=None, url=None, sections=None, **more):
        """A daemon, not started yet; the platform already has its key, so that connectors can be added."""
        is_local = more.get("kind") == "local"
        daemon = Gantryd(engine or self.engine, None if is_local else url or self.platform.url, sections, **more)
        self.daemons.append(daemon)
        if self.sdl != "bare" and not is_local:
            self.platform.knows_manager(daemon.manager_id, daemon.public_key)
        return daemon

    def clean(self):
        for daemon in self.daemons:
            daemon.clean()
        for close in reversed(self.closing):
            close()
        for registry in self._registries.values():
            registry.front.on_request = None
            registry.front.flow()
        for platform in self._platforms.values():
            platform.reset()
        if self._engine:
            if self._engine.process.poll() is not None:
                self._engine.start()
            self._engine.remove_all()
        self.fresh("real")

    def close(self):
        for platform in self._platforms.values():
            platform.stop()
        for registry in self._registries.values():
            registry.stop()
        if self._engine:
            self._engine.stop()


def missing_parts():
    if os.geteuid() != 0:
        return "needs root for dockerd"
    for path, package in ((DOCKERD, "docker.io"), (CONTAINERD, "containerd"), ("/usr/bin/docker-registry", "docker-registry"),
                          ("/usr/bin/htpasswd", "apache2-utils")):
        if not os.path.exists(path):
            return f"{path} is missing: run tests/real/setup.sh (package {package})"
    if not os.path.isdir(os.path.join(FOLDER, "node_modules", "@apollo", "server")):
        return "Apollo Server is missing: run tests/real/setup.sh"
    return None


def run_one(world, name, function, value, needs_gantryd):
    """True, or the text of the failure; Skip passes through."""
    if needs_gantryd and not os.access(program(), os.X_OK):
        raise Skip(f"{program()} is not built")
    world.fresh(value if value in ("seed", "real", "bare") else None)
    world.value = value
    try:
        function(world)
        return True
    except Skip:
        raise
    except Exception as error:  # whatever it was, the other cases still run
        text = f"{type(error).__name__}: {error}\n"
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "/cases/" in f.filename]
        for frame in frames[-3:]:
            text += f"  {os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}\n"
        if not frames:
            text += traceback.format_exc()
        return text + describe(world)


def describe(world):
    text = ""
    for daemon in world.daemons:
        alive = "runs" if daemon.running() else f"ended {daemon.process.returncode if daemon.process else '(not started)'}"
        text += f"  --- gantryd {alive}, last lines:\n{daemon.tail()}\n"
    try:
        for found in (world._engine.containers() if world._engine else [])[:8]:
            text += f"  container {found['Names']} {found['State']} {found['Status']} {found['Image']}\n"
        state = world._platforms[world.sdl].state() if world.sdl in world._platforms else {}
        for item in list(state.get("connectors", {}).values())[:8]:
            report = state["reports"].get(item["id"], {})
            text += (f"  connector {item['name']} requested={item['requested']} current={item['current']} "
                     f"logs={str((report.get('logs') or [])[-2:])[:300]} health={report.get('health')}\n")
        for key in ("requests", "failures", "violations"):
            text += f"  platform {key}: {str(state.get(key))[:500]}\n"
    except Exception as error:
        text += f"  (state not to be had: {error})\n"
    return text


def main(cases, only=None, limit=1700):
    reason = missing_parts()
    if reason:
        print(f"skip: {reason}")
        return SKIP_STATUS

    def too_late(*_):
        raise SystemExit("ended: over the limit, or told to")
    signal.signal(signal.SIGALRM, too_late)
    signal.signal(signal.SIGTERM, too_late)
    signal.alarm(limit)
    world = World()
    passed = failed = skipped = 0
    try:
        for name, function, value, needs_gantryd in cases:
            if only and not any(word in name for word in only):
                continue
            began = time.monotonic()
            try:
                result = run_one(world, name, function, value, needs_gantryd)
            except Skip as skip:
                skipped += 1
                print(f"skip {name}: {skip}", flush=True)
                continue
            finally:
                world.clean()
            took = time.monotonic() - began
            if result is True:
                passed += 1
                print(f"ok {name} ({took:.1f} s)", flush=True)
            else:
                failed += 1
                print(f"FAIL {name} ({took:.1f} s)\n{result}", flush=True)
    finally:
        signal.alarm(0)
        world.close()
        print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    if failed:
        return 1
    return SKIP_STATUS if skipped else 0
