"""A machine that starts without its platform: what shall run by the last good listing runs, and nothing else happens."""

import json
import time

from lib import check
from lib.case import case
from lib.wait import eventually, stays

SIDE_BY_SIDE = 3  # most of a case is waiting


def machine(world, fault):
    """A daemon that has run with its platform, and then the reboot: all containers stopped, the platform away."""
    front = world.front()
    daemon = world.gantryd(url=front.url, sections={"platform opencti": {"list_timeout": "2s", "request_timeout": "2s"}}).start()
    wanted = [world.platform.add(f"wanted-{i}") for i in range(3)]
    halted = world.platform.add("halted")
    stale = world.platform.add("stale")
    marks = {c: check.running(world, c)["Id"] for c in [*wanted, halted, stale]}
    for connector in marks:
        check.reported(world, connector, "started")
    world.platform.request(halted, "stopping")
    check.stopped(world, halted)
    check.reported(world, halted, "stopped")
    daemon.terminate()
    for connector in [*wanted, stale]:
        world.engine.api("POST", f"/containers/{marks[connector]}/stop", query={"t": 0})
    front.set(fault)
    return front, daemon, wanted, halted, stale, marks


def untouched(world, marks):
    found = world.engine.containers()
    assert sorted(c["Id"] for c in found) == sorted(marks.values()), [(c["Names"], c["State"]) for c in found]
    return True


@case(each=("reset", "html_502", "hang", "truncated"))
def what_shall_run_is_started_without_the_platform(world):
    front, daemon, wanted, halted, stale, marks = machine(world, world.value)
    # Another hash than the listing's: it is not what was wanted last.
    path = daemon.home + "/state/state.json"
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    assert "d434ce02" not in json.dumps(state), "a secret is in the state"
    state["platforms"]["opencti"][stale]["listing"]["hash"] = "another"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(state, file)
    reports = {c: len(world.platform.report(c)["statuses"]) for c in marks}
    began = time.monotonic()
    daemon.start()
    for connector in wanted:
        check.running(world, connector, 30)
    print(f"  {world.value}: three run {time.monotonic() - began:.2f} s after the start of gantryd")
    assert world.engine.inspect(marks[halted])["State"]["Running"] is False
    assert world.engine.inspect(marks[stale])["State"]["Running"] is False
    stays(lambda: untouched(world, marks), 3, pause=0.5)
    assert {c: len(world.platform.report(c)["statuses"]) for c in marks} == reports, "something was reported"
    front.clear()
    for connector in [*wanted, stale]:
        check.running(world, connector, 60, hash_=world.platform.hash(connector))
    assert {c: world.engine.of_connector(c)[0]["Id"] for c in marks} == marks, "something was made anew"
    eventually(lambda: world.platform.status(stale) == "started", 30, "stale runs, and that is known")
    assert world.engine.inspect(marks[halted])["State"]["Running"] is False
    check.kept_the_protocol(world)
    assert daemon.running()


@case
def slow_platform_is_not_away(world):
    """An answer that takes its time is waited for: by it, one of them need not run any more."""
    front, daemon, wanted, _, _, marks = machine(world, "reset")
    front.clear()
    world.platform.request(wanted[0], "stopping")
    world.platform.verb("delay", ms=1500)
    daemon.start()
    check.running(world, wanted[1], 30)
    assert world.engine.inspect(marks[wanted[0]])["State"]["Running"] is False
    assert "platform cannot be asked" not in daemon.text(), "it was taken for away"
    world.platform.verb("delay", ms=0)


@case
def removed_from_the_listing_is_not_started(world):
    front, daemon, wanted, _, _, marks = machine(world, "reset")
    front.clear()
    daemon.start()
    world.platform.delete(wanted[0])
    check.gone(world, wanted[0], 30)
    daemon.terminate()
    with open(daemon.home + "/state/state.json", encoding="utf-8") as file:
        kept = json.load(file)["platforms"]["opencti"]
    assert "listing" not in kept.get(wanted[0], {}) and "listing" in kept[wanted[1]], kept
    for connector in wanted[1:]:
        world.engine.api("POST", f"/containers/{marks[connector]}/stop", query={"t": 0})
    front.set("reset")
    daemon.start()
    for connector in wanted[1:]:
        check.running(world, connector, 30)
    assert not world.engine.of_connector(wanted[0])
