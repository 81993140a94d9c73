"""Why did you restart it?  The log of events says it, of each thing once."""

import json
import os
import re
import signal
import subprocess

from lib import check, process
from lib.case import case
from lib.gantryd import environment, program
from lib.wait import eventually

SIDE_BY_SIDE = 3  # most of a case is waiting


def tool(daemon, *arguments, status=0):
    done = subprocess.run([program("gantry"), "events", "--config", daemon.config, *arguments], capture_output=True,
                          text=True, timeout=30, env=environment())
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def events(daemon, connector, **wanted):
    """What the log has of a connector, as dicts; wanted: the keys that must be so."""
    found = [json.loads(line) for line in tool(daemon, "--json", "-n", "0", "--connector", connector).splitlines()]
    return [event for event in found if all(event.get(key) == value for key, value in wanted.items())]


def one(daemon, connector, **wanted):
    def probe():
        found = events(daemon, connector, **wanted)
        assert len(found) == 1, f"{len(found)} events are {wanted}: {events(daemon, connector)}"
        return found[0]
    return eventually(probe, 20)


def two_listings_later(world):
    count = world.platform.count("connectorsForManagers")
    eventually(lambda: world.platform.count("connectorsForManagers") >= count + 3, 20, "it lists again")


@case
def killed_container_is_told_with_its_signal_and_so_is_its_restart(world):
    daemon = world.gantryd().start()
    connector = world.platform.add("killed")
    container = check.running(world, connector)
    created = one(daemon, connector, action="create")
    assert created["from"] == "absent" and created["to"] == "running" and created["duration_ms"] >= 0, created
    check.reported(world, connector, "started")
    world.engine.kill_container(container["Id"])
    ended = one(daemon, connector, kind="state")
    assert ended["from"] == "running" and ended["to"] in ("exited", "failed"), ended
    assert ended["cause"] == "exited with code 137: killed", ended
    started = one(daemon, connector, action="start")
    assert started["to"] == "running" and "exited with code 137: killed" in started["cause"], started
    check.running(world, connector)
    two_listings_later(world)
    assert [e["kind"] for e in events(daemon, connector)] == ["wish", "action", "state", "action"], events(daemon, connector)
    line = tool(daemon, "-n", "1", "--connector", "killed")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  killed  start \w+ -> running in \d+\.\d{3} s: .*137.*\n", line), line
    assert os.stat(daemon.home + "/state/events.jsonl").st_mode & 0o7777 == 0o600


@case
def changed_hash_is_told_and_why_the_container_was_replaced(world):
    daemon = world.gantryd().start()
    secret = "p4ssw0rd-of-events"
    connector = world.platform.add("changed", configuration=[{"key": "PASSWORD", "value": secret, "secret": True}])
    before = check.mark(world, connector)
    old = world.platform.hash(connector)
    world.platform.patch(connector, bump=True)
    new = world.platform.hash(connector)
    check.running(world, connector, other_than=before[0], hash_=new)
    replaced = one(daemon, connector, action="replace")
    hashes = f"(hash {old[:8]} -> {new[:8]})"
    assert replaced["from"] == "running" and hashes in replaced["cause"], replaced
    wishes = events(daemon, connector, kind="wish")
    assert len(wishes) == 2 and hashes in wishes[1]["cause"], wishes
    removed = one(daemon, connector, action="remove")
    assert "replaced" in removed["cause"], removed
    two_listings_later(world)
    assert len(events(daemon, connector)) == 5, events(daemon, connector)
    assert secret not in open(daemon.home + "/state/events.jsonl", encoding="utf-8").read()


@case
def failed_pull_is_told_once_until_it_succeeds(world):
    registry = world.registry()
    daemon = world.gantryd().start()
    missing = registry.reference("test/events", "1")
    connector = world.platform.add("missing", missing)
    failed = one(daemon, connector, action="create")
    assert missing in failed["error"] and "to" not in failed and failed["duration_ms"] >= 0, failed
    eventually(lambda: daemon.text().count('"action begins"') >= 3, 20, "it is tried again")
    one(daemon, connector, action="create")
    assert "create failed after" in tool(daemon, "--connector", connector)
    registry.put(world.engine, "test/events")
    check.running(world, connector, timeout=90)
    made = one(daemon, connector, action="create", to="running")
    assert "; attempt " in made["cause"] and "error" not in made, made


@case
def restart_of_the_daemon_and_what_is_adopted_are_told(world):
    daemon = world.gantryd()
    assert "no log of events" in tool(daemon, status=2)
    connector = world.platform.add("adopted")
    labels = {"opencti-manager": daemon.manager_id, "opencti-connector-id": connector, "opencti-platform": "opencti"}
    world.engine.create("adopted", "test/busy:latest", labels, [f"OPENCTI_CONFIG_HASH={world.platform.hash(connector)}"])
    daemon.start()
    adopted = one(daemon, connector, action="adopt")
    assert "XTM Composer" in adopted["cause"] and adopted["to"] == "running", adopted
    check.reported(world, connector, "started")
    daemon.terminate()
    daemon.start()
    two_listings_later(world)
    assert len(events(daemon, connector)) == 2, events(daemon, connector)
    lines = tool(daemon, "-n", "0").splitlines()
    assert sum("manager  -> running" in line for line in lines) == 2, lines
    assert sum("manager  running -> stopped" in line for line in lines) == 1, lines


@case
def follow_shows_what_happens_and_ends_well(world):
    daemon = world.gantryd().start()
    eventually(lambda: os.path.exists(daemon.home + "/state/events.jsonl"), 10)
    following = process.spawn([program("gantry"), "events", "--config", daemon.config, "-n", "1", "--follow"],
                              stdout=subprocess.PIPE, text=True, env=environment())
    first = following.stdout.readline()
    assert "running" in first, first
    connector = world.platform.add("followed")
    for words in ("followed  wish -> run", "followed  create absent -> running"):
        line = following.stdout.readline()
        assert words in line, line
    check.running(world, connector)
    following.send_signal(signal.SIGINT)
    assert following.wait(5) == 0
    assert following.stdout.read() == ""


@case
def crash_loop_is_told_once_and_each_restart_with_its_pause(world):
    daemon = world.gantryd().start()
    connector = world.platform.add("looping", "test/crash")
    began = one(daemon, connector, kind="loop")
    assert (began["from"], began["to"]) == ("steady", "looping") and "in a row" in began["cause"], began
    eventually(lambda: [e for e in events(daemon, connector, action="start") if "s of back-off" in e["cause"]], 30,
               "a start that waited says so")
    one(daemon, connector, kind="loop")
    ends = events(daemon, connector, kind="state", to="failed") + events(daemon, connector, kind="state", to="restarting")
    assert ends and all("exited with code 5" in e["cause"] for e in ends), ends
    quick = events(daemon, connector, action="start", to="failed")
    assert all(e["cause"].endswith("; and then at once: exited with code 5") for e in quick), quick
    world.platform.patch(connector, image="test/busy:latest", bump=True)
    ended = one(daemon, connector, kind="loop", to="steady")
    assert "configuration" in ended["cause"], ended
