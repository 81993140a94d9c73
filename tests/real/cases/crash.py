"""SIGKILL in the middle of an action, to the daemon or to the engine: afterwards everything is as it was asked for.

A front before the engine's socket sees each request and strikes in that moment: "before" it reaches the engine,
or "after", when the engine has it and its answer is on the way.
"""

import re
import threading

from lib import check
from lib.case import case
from lib.tcpfront import Front
from lib.wait import eventually, stays

SIDE_BY_SIDE = 3  # most of a case is waiting that nothing happens

# What is asked of the platform so that the request comes, and the request.
MOMENTS = {
    "pull": ("add", "POST", r"/images/create"),
    "create": ("add", "POST", r"/containers/create"),
    "start": ("add", "POST", r"/containers/[^/]+/start"),
    "create-new": ("replace", "POST", r"/containers/create"),
    "stop": ("replace", "POST", r"/containers/[^/]+/stop"),
    "start-new": ("replace", "POST", r"/containers/[^/]+/start"),
    "remove": ("replace", "DELETE", r"/containers/[^/]+"),
    "rename": ("replace", "POST", r"/containers/[^/]+/rename"),
}
EACH = [f"{moment}-{when}" for moment in MOMENTS for when in ("before", "after")]


class Strike:
    """Does something once, when a certain request passes."""

    def __init__(self, moment, when, deed):
        _, self.method, path = MOMENTS[moment]
        self.path = re.compile(r"^(/v[\d.]+)?" + path + r"(\?|$)")
        self.when, self.deed = when, deed
        self.armed = False
        self.done = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, method, path, when):
        if not self.armed or method != self.method or when != self.when or not self.path.search(path):
            return None
        with self.lock:
            if self.done.is_set():
                return None
            self.deed()
            self.done.set()
        return "cut" if when == "before" else None


def everything_as_asked(world, connectors, timeout=60):
    """Exactly one running container of the wanted hash for each, and that it stays so."""
    for connector in connectors:
        check.running(world, connector, timeout, hash_=world.platform.hash(connector))
    ids = {c: check.mark(world, c) for c in connectors}
    check.stays_untouched(world, ids, 2)
    assert len(world.engine.containers()) == len(connectors), [c["Names"] for c in world.engine.containers()]


def play(world, who, moment, when, live_restore=True):
    if world.engine.live_restore != live_restore:
        world.engine.remove_all()
        world.engine.process.terminate()
        world.engine.process.wait()
        world.engine.live_restore = live_restore
        world.engine.start()
    registry = world.registry()
    socket = world.engine.home + "/front.sock"
    front = Front(socket, world.engine.socket)
    world.closing.append(front.close)
    daemon = world.gantryd(engine="unix://" + socket).start()
    deed = daemon.kill if who == "gantryd" else world.engine.kill
    strike = Strike(moment, when, deed)
    front.on_request = strike

    still = [world.platform.add(f"still-{i}") for i in range(2)]
    marks = {connector: check.mark(world, connector) for connector in still}
    how, image = MOMENTS[moment][0], "test/busy:latest"
    if moment == "pull":
        image = registry.put(world.engine, f"test/crash-{who}-{when}-{live_restore}".lower(), extra_bytes=200000)
    if how == "add":
        strike.armed = True
        subject = world.platform.add("subject", image)
    else:
        subject = world.platform.add("subject", image)
        check.running(world, subject)
        strike.armed = True
        world.platform.patch(subject, bump=True)
    assert strike.done.wait(30), f"no request {MOMENTS[moment][1:]} was seen: {front.requests[-10:]}"
    if who == "gantryd":
        daemon.start()
    else:
        world.engine.start()
    everything_as_asked(world, [*still, subject])
    for connector, before in marks.items():
        if live_restore or who == "gantryd":
            check.untouched(world, connector, before)
        else:
            assert check.running(world, connector)["Id"] == before[0], "an exited container was replaced, not started"
    front.on_request = None
    return daemon


@case(each=EACH)
def killed_gantryd_leaves_nothing_half_done(world):
    moment, _, when = world.value.rpartition("-")
    play(world, "gantryd", moment, when)


@case(each=EACH)
def killed_dockerd_leaves_nothing_half_done(world):
    moment, _, when = world.value.rpartition("-")
    daemon = play(world, "dockerd", moment, when)
    assert daemon.running(), "gantryd ended with the engine"


@case(each=("create-after", "stop-after", "remove-before"))
def killed_dockerd_without_live_restore_gets_its_containers_started(world):
    moment, _, when = world.value.rpartition("-")
    try:
        play(world, "dockerd", moment, when, live_restore=False)
    finally:
        world.engine.remove_all()
        world.engine.process.terminate()
        world.engine.process.wait()
        world.engine.live_restore = True
        world.engine.start()


@case
def engine_that_is_away_for_a_while_is_no_reason_to_act(world):
    daemon = world.gantryd().start()
    connectors = [world.platform.add(f"calm-{i}") for i in range(3)]
    marks = {connector: check.mark(world, connector) for connector in connectors}
    for connector in connectors:
        check.reported(world, connector, "started")
    said = len(daemon.complaints())
    world.engine.kill()
    stays(daemon.running, 6, "gantryd lives on")
    statuses = [world.platform.status(connector) for connector in connectors]
    assert statuses == ["started"] * 3, f"an engine that does not answer was read as stopped: {statuses}"
    assert len(daemon.complaints(said)) <= 3 + len(connectors) * 2, daemon.complaints(said)
    world.engine.start()
    check.stays_untouched(world, marks, 3)
    world.platform.patch(connectors[0], bump=True)
    eventually(lambda: check.running(world, connectors[0], other_than=marks[connectors[0]][0]), 30)


@case
def daemon_killed_and_restarted_often_changes_nothing(world):
    daemon = world.gantryd().start()
    connectors = [world.platform.add(f"steady-{i}") for i in range(4)]
    marks = {connector: check.mark(world, connector) for connector in connectors}
    for _ in range(5):
        daemon.kill()
        count = world.platform.count("connectorsForManagers")
        daemon.start()
        eventually(lambda: world.platform.count("connectorsForManagers") >= count + 2, 15, "it lists again")
    check.stays_untouched(world, marks, 1)
