"""Named cases that share an engine, a platform and a registry, and what a case is given: the World.

    @case
    def stopping_stops_the_container(world): ...

    @case(each=("seed", "real"))         # once for every value, as world.sdl
    def ...

Each case prints one line, `ok NAME (time)` or `FAIL NAME` with the reason and the daemon's last lines.
"""

import collections
import os
import signal
import threading
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

    def use(self, engine):
        """An engine of another kind, for all cases of the file; started the first time."""
        if self._engine is None:
            self._engine = engine.start()
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


class Run:
    """The cases of a file, worked off by one world or by several side by side, each with parts of its own."""

    def __init__(self, cases):
        self.left = collections.deque(cases)
        self.counts = collections.Counter()
        self.worlds = []

    def work(self):
        world = World()
        self.worlds.append(world)
        try:
            while self.left:
                try:
                    name, function, value, needs_gantryd = self.left.popleft()
                except IndexError:  # another world was faster
                    break
                self.one(world, name, function, value, needs_gantryd)
        finally:
            world.close()

    def one(self, world, name, function, value, needs_gantryd):
        began = time.monotonic()
        try:
            result = run_one(world, name, function, value, needs_gantryd)
        except Skip as skip:
            self.counts["skipped"] += 1
            print(f"skip {name}: {skip}", flush=True)
            return
        finally:
            world.clean()
        self.counts["passed" if result is True else "failed"] += 1
        word = "ok" if result is True else "FAIL"
        print(f"{word} {name} ({time.monotonic() - began:.1f} s)" + ("" if result is True else "\n" + result), flush=True)

    def beside(self):
        """As a thread's; what breaks a world itself fails the run."""
        try:
            self.work()
        except Exception:
            self.counts["failed"] += 1
            print("FAIL: the world of the cases\n" + traceback.format_exc(), flush=True)

    def end(self):
        self.left.clear()
        for world in self.worlds:
            world.close()


def main(cases, only=None, limit=1700, side_by_side=1):
    """side_by_side: how many worlds share the cases, where most of them wait."""
    reason = missing_parts()
    if reason:
        print(f"skip: {reason}")
        return SKIP_STATUS

    def too_late(*_):
        raise SystemExit("ended: over the limit, or told to")
    signal.signal(signal.SIGALRM, too_late)
    signal.signal(signal.SIGTERM, too_late)
    signal.alarm(limit)
    run = Run(item for item in cases if not only or any(word in item[0] for word in only))
    threads = [threading.Thread(target=run.beside, daemon=True) for _ in range(min(side_by_side, len(run.left)) - 1)]
    try:
        for thread in threads:
            thread.start()
        run.work()
        for thread in threads:
            thread.join()
    except BaseException:
        run.end()
        raise
    finally:
        signal.alarm(0)
        counts = run.counts
        print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
    if run.counts["failed"]:
        return 1
    return SKIP_STATUS if run.counts["skipped"] else 0
