"""The daemon's ways to run: once, validate, dry run, down; and how it ends."""

import os
import signal
import time

from lib import check
from lib.case import case
from lib.wait import eventually, stays

SIDE_BY_SIDE = 2  # most of a case is waiting

QUERIES = {"about", "connectorsForManagers", "catalogs", "connectorManagers", "connectorManager"}


def asked(world):
    """The mutations that the platform has seen."""
    return {field: n for field, n in world.platform.state()["requests"].items() if field not in QUERIES}


@case
def once_does_what_is_due_and_ends(world):
    daemon = world.gantryd()
    run = [world.platform.add(f"once-{i}") for i in range(3)]
    halt = world.platform.add("once-not", requested="stopped")
    done = daemon.run("--once")
    assert done.returncode == 0, done
    marks = {connector: check.mark(world, connector) for connector in run}
    assert not world.engine.of_connector(halt)
    assert [world.platform.status(c) for c in run] == ["started"] * 3
    done = daemon.run("--once")
    assert done.returncode == 0, done
    for connector, before in marks.items():
        check.untouched(world, connector, before)
    world.platform.patch(run[0], bump=True)
    world.platform.request(run[1], "stopping")
    assert daemon.run("--once").returncode == 0
    check.running(world, run[0], 1, other_than=marks[run[0]][0])
    check.stopped(world, run[1], 1)
    check.untouched(world, run[2], marks[run[2]])


@case
def once_says_by_its_status_that_something_failed(world):
    daemon = world.gantryd()
    connector = world.platform.add("hopeless", "127.0.0.1:1/none:1")
    done = daemon.run("--once", timeout=90)
    assert done.returncode == 1, done.returncode
    assert not world.engine.of_connector(connector)


@case
def validate_contacts_nobody_and_masks_secrets(world):
    daemon = world.gantryd(engine="unix:///nonexistent/docker.sock")
    done = daemon.run("--validate", timeout=20)
    assert done.returncode == 0, done
    text = done.stdout + done.stderr
    with open(daemon.home + "/token", encoding="ascii") as file:
        assert file.read().strip() not in text, "the token is printed"
    assert "PRIVATE KEY" not in text
    assert "interval" in done.stdout and "gantry.ini:" in done.stdout and "default" in done.stdout, done.stdout
    assert world.platform.state()["documents"] == 0
    assert not os.path.exists(daemon.home + "/state/lock")


@case
def dry_run_tells_and_touches_nothing(world):
    daemon = world.gantryd()
    kept = [world.platform.add(f"dry-{i}") for i in range(2)]
    assert daemon.run("--once").returncode == 0
    marks = {connector: check.mark(world, connector) for connector in kept}
    world.platform.patch(kept[0], bump=True)
    world.platform.request(kept[1], "stopping")
    new = world.platform.add("dry-new", configuration=[{"key": "SECRET", "value": "do-not-print", "secret": True}])
    before = asked(world)
    done = daemon.run("--dry-run")
    assert done.returncode == 0, done
    for name in ("dry-0", "dry-1", "dry-new"):
        assert name in done.stdout, f"{name} is not in:\n{done.stdout}\n{done.stderr}"
    assert "do-not-print" not in done.stdout + done.stderr
    assert asked(world) == before, "the platform was told something"
    for connector, mark in marks.items():
        check.untouched(world, connector, mark)
    assert not world.engine.of_connector(new)


@case
def down_leaves_nothing_behind(world):
    daemon = world.gantryd().start()
    connectors = [world.platform.add(f"down-{i}") for i in range(5)]
    for connector in connectors:
        check.running(world, connector)
    foreign = world.engine.create("bystander", "test/busy")
    daemon.terminate()
    done = daemon.run("--down")
    assert done.returncode == 0, done
    assert [c["Id"] for c in world.engine.containers()] == [foreign]
    assert daemon.run("--down").returncode == 0, "nothing to do is no failure"


@case(each=("TERM", "INT"))
def signal_ends_it_and_workloads_run_on(world):
    daemon = world.gantryd().start()
    connectors = [world.platform.add(f"on-{i}") for i in range(3)]
    marks = {connector: check.mark(world, connector) for connector in connectors}
    for connector in connectors:
        check.reported(world, connector, "started")
    code, took = daemon.terminate(getattr(signal, "SIG" + world.value))
    print(f"  ended after {took:.2f} s")
    assert code == 0, code
    check.stays_untouched(world, marks, 2)
    daemon.start()
    count = world.platform.count("connectorsForManagers")
    eventually(lambda: world.platform.count("connectorsForManagers") >= count + 3, 15)
    check.stays_untouched(world, marks, 1)


@case
def signal_ends_it_within_five_seconds_of_a_stalled_pull(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/stall-term", extra_bytes=3000000)
    registry.front.stall("/blobs/", 20000)
    daemon = world.gantryd().start()
    running = world.platform.add("runs-on")
    before = check.mark(world, running)
    world.platform.add("stalls", reference)
    eventually(lambda: any("/blobs/" in path for _, path in registry.front.requests), 15, "the pull began")
    code, took = daemon.terminate(within=5.0)
    print(f"  ended after {took:.2f} s")
    assert code == 0, code
    check.untouched(world, running, before)


@case
def signal_ends_it_while_the_platform_hangs(world):
    front = world.front()
    daemon = world.gantryd(url=front.url).start()
    eventually(lambda: world.platform.count("connectorsForManagers") > 0, 10)
    front.set("hang")
    eventually(lambda: front.hits > 0, 10)
    code, took = daemon.terminate(within=5.0)
    assert code == 0, code


@case
def signal_during_a_stop_that_takes_its_grace(world):
    daemon = world.gantryd(sections={"backend docker": {"stop_timeout": "20s"}}).start()
    connector = world.platform.add("deaf", "test/deaf:latest")
    check.running(world, connector)
    world.platform.request(connector, "stopping")
    time.sleep(2.5)
    code, took = daemon.terminate(within=5.0)
    assert code == 0, code


@case
def engine_that_is_not_there_yet_is_waited_for(world):
    daemon = world.gantryd(engine=f"unix://{world.engine.home}/later.sock").start()
    world.platform.add("later")
    eventually(daemon.complaints, 10, "it says that the engine is away")
    stays(daemon.running, 4)
    assert len(daemon.complaints()) <= 4, daemon.complaints()
    os.symlink(world.engine.socket, world.engine.home + "/later.sock")
    try:
        eventually(lambda: any(c["State"] == "running" for c in world.engine.containers()), 30, "it runs")
    finally:
        os.unlink(world.engine.home + "/later.sock")


@case
def slow_stop_is_no_reason_to_kill_it_early(world):
    daemon = world.gantryd(sections={"backend docker": {"stop_timeout": "3s"}}).start()
    connector = world.platform.add("deaf", "test/deaf:latest")
    check.running(world, connector)
    other = world.platform.add("nimble")
    before = check.mark(world, other)
    world.platform.request(connector, "stopping")
    began = time.monotonic()
    check.stopped(world, connector)
    took = time.monotonic() - began
    assert 2.5 <= took <= 8, f"stopped after {took:.1f} s of a grace of 3 s"
    check.untouched(world, other, before)
    assert daemon.running()
