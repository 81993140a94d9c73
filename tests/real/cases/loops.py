"""Containers that end again and again: counted once each, said on the platform, restarted with growing pauses."""

import re
import time

from lib import check
from lib.case import case
from lib.wait import eventually, stays

SIDE_BY_SIDE = 3  # most of a case is waiting

ENDED = re.compile(r"\[gantry\] exited with code (\d+), after [\d.]+ s \(restart (\d+)\)")


def health(world, connector):
    return world.platform.report(connector)["health"] or {}


def ends(world, connector):
    """(exit code, restart) of each line of Gantry's about an end."""
    return [(int(code), int(n)) for code, n in ENDED.findall(world.platform.logs_text(connector))]


def in_loop(world, connector, timeout=60):
    eventually(lambda: health(world, connector).get("is_in_reboot_loop"), timeout, "health says reboot loop")


def starts(world, connector, since):
    """Times at which the engine started its container, in seconds, by the engine's events."""
    filters = '{"type":["container"],"event":["start"],"label":["opencti-connector-id=' + connector + '"]}'
    found = world.engine.api("GET", "/events", query={"since": int(since), "until": int(time.time()) + 1, "filters": filters}, timeout=10)
    return [item["timeNano"] / 1e9 for item in (found if isinstance(found, list) else [found] if found else [])]


@case
def container_that_ends_at_once_is_in_a_loop_within_four_ends(world):
    began = time.time()
    daemon = world.gantryd().start()
    connector = world.platform.add("looping", "test/crash:latest")
    in_loop(world, connector)
    state = health(world, connector)
    assert state["restart_count"] <= 5, state
    check.logs_say(world, connector, "about to fail", "[gantry] exited with code 5", "restarted by Gantry with growing pauses")
    said = ends(world, connector)
    numbers = [n for _, n in said]
    assert {code for code, _ in said} == {5}, said
    assert numbers == sorted(set(numbers)), f"an end was said twice: {numbers}"
    time.sleep(20)
    times = starts(world, connector, began)
    gaps = [b - a for a, b in zip(times, times[1:])]
    print(f"  pauses between starts, s: {' '.join(f'{g:.1f}' for g in gaps)}; health {health(world, connector)}")
    own = gaps[4:]
    assert len(own) >= 2 and all(b >= a for a, b in zip(own, own[1:])), f"pauses do not grow: {gaps}"
    numbers = [n for _, n in ends(world, connector)]
    assert numbers == sorted(set(numbers)), f"an end was said twice: {numbers}"

    asked = time.monotonic()
    world.platform.patch(connector, image="test/busy:latest", bump=True)
    check.running(world, connector, 20)
    print(f"  a new hash runs {time.monotonic() - asked:.1f} s after it was listed, though the next start was not due")
    eventually(lambda: health(world, connector).get("is_in_reboot_loop") is False, 20, "the loop has ended")
    check.logs_say(world, connector, "is not in a restart loop any more")
    assert daemon.running()


@case
def loop_outlives_the_daemon_and_no_end_is_counted_twice(world):
    daemon = world.gantryd().start()
    connector = world.platform.add("kept", "test/crash:latest")
    in_loop(world, connector)
    for how in ("kill", "terminate"):
        eventually(lambda: len(world.engine.of_connector(connector)) == 1, 10)
        time.sleep(1.5)  # what was counted is written soon
        getattr(daemon, how)()
        before = world.platform.state()["reports"][connector]
        count, heard = before["health"]["restart_count"], len(before["health_times"])
        daemon.start()
        eventually(lambda: len(world.platform.report(connector)["health_times"]) > heard, 20, "health again")
        after = health(world, connector)
        assert after["is_in_reboot_loop"], f"the loop was forgotten: {before['health']}, then {after}"
        assert count <= after["restart_count"] <= count + 2, f"{before['health']}, then {after}"
        numbers = [n for _, n in ends(world, connector)]
        assert numbers == sorted(set(numbers)), f"an end was said twice: {numbers}"
    stays(lambda: health(world, connector)["is_in_reboot_loop"], 3)


@case
def own_stops_and_replaces_are_no_ends(world):
    world.gantryd().start()
    connector = world.platform.add("calm", "test/deaf:latest")
    check.running(world, connector)
    check.reported(world, connector, "started")
    for _ in range(2):
        world.platform.request(connector, "stopping")
        check.stopped(world, connector, 40)
        world.platform.request(connector, "starting")
        before = check.running(world, connector)
    world.platform.patch(connector, bump=True)
    check.running(world, connector, 40, other_than=before["Id"])
    eventually(lambda: health(world, connector).get("restart_count") == 0, 20, "no restart is counted")
    assert "[gantry]" not in world.platform.logs_text(connector), world.platform.logs_text(connector)


@case
def how_it_ended_is_said(world):
    """Signals by name, and the want of memory as such where the engine can limit it."""
    world.gantryd().start()
    connector = world.platform.add("struck", "test/busy:latest")
    container = check.running(world, connector)
    check.reported(world, connector, "started")
    for signal, words in (("TERM", "exited with code 0"), ("KILL", "exited with code 137: killed")):
        container = check.running(world, connector)
        world.engine.api("POST", f"/containers/{container['Id']}/kill", query={"signal": signal})
        check.logs_say(world, connector, "[gantry] " + words)
        check.running(world, connector)
    lines = [line for line in world.platform.report(connector)["logs"] if "[gantry]" in line]
    assert len(lines) == 2, lines
