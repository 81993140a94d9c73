"""What the manager decides beyond the state table: names, adoption, credentials, many at once."""

import signal
import time

from lib.wait import eventually
from scene import case, mark_of

MANY = 64


@case
def two_ids_with_one_name_both_run(s):
    ids = [digit + "d3f0000-0000-4000-8000-000000000000" for digit in "12"]
    daemon = s.own_daemon()
    connectors = [s.platform.add("Same Name!", s.backend.image("busy"), id=one) for one in ids]
    daemon.start()
    marks = s.runs(*connectors)
    names = [s.running(connector)["name"] for connector in connectors]
    assert names == ["same-name-1d3f0000", "same-name-2d3f0000"], names
    s.stays(marks, 2)


@case
def name_held_by_a_foreign_workload_is_given_another(s):
    foreign = s.outside(s.name(), labels={"opencti-manager": "somebody else"})
    before = s.seen(foreign)
    connector = s.add()
    s.runs(connector)
    found = s.running(connector)
    assert found["name"] == s.name() + "-" + connector[:8], found["name"]
    s.platform.patch(connector, bump=True)
    s.running(connector, other_than=mark_of(found), hash_=s.platform.hash(connector))
    assert s.seen(foreign) == before, "the foreign one was touched"


@case
def restarted_manager_adopts_what_it_made(s):
    daemon = s.own_daemon(manager={"max_removals": "1000"})
    daemon.start()
    running, stopped = s.add("running"), s.add("stopped")
    marks = s.runs(running, stopped)
    s.platform.request(stopped, "stopping")
    marks[stopped] = mark_of(s.stopped(stopped))
    s.reported(stopped, "stopped")
    started = s.health(running).get("started_at")
    for end in (daemon.kill, daemon.terminate):
        end()
        lists = s.platform.count("connectorsForManagers")
        daemon.start()
        eventually(lambda: s.platform.count("connectorsForManagers") >= lists + 3, 15, "three listings")
        s.stays(marks, 1)
    assert s.health(running).get("started_at") == started, "it was started at another time"
    s.platform.request(stopped, "starting")
    assert s.running(stopped)["handle"] == marks[stopped][0]


@case
def wrong_registry_password_names_the_registry_and_the_old_one_runs_on(s):
    host = s.backend.registry().host
    daemon = s.own_daemon()
    path = daemon.write("password", "wrong-s3cret\n")
    daemon.sections.update(s.backend.registry_section("file:" + path))
    daemon.write_config()
    daemon.start()
    connector = s.add()
    mark = s.runs(connector)[connector]
    s.platform.patch(connector, image=s.backend.push(s.name("pushed")))
    s.logs_say(connector, host, "[registry")
    s.stays({connector: mark}, 2)
    text = s.platform.logs_text(connector) + daemon.text()
    assert "wrong-s3cret" not in text, "the password is in a log"
    daemon.write("password", s.backend.registry().password + "\n")
    daemon.process.send_signal(signal.SIGHUP)
    s.running(connector, other_than=mark, hash_=s.platform.hash(connector))


@case(alone=True)
def sixty_four_actions_at_once(s):
    daemon = s.own_daemon(manager={"concurrency": str(MANY), "max_removals": "1000"})
    connectors = [s.add(f"{i:02}") for i in range(MANY)]
    began = time.monotonic()
    daemon.start()

    def all_of(running):
        found = s.backend.workloads({"opencti-manager": daemon.manager_id})
        ids = sorted(w["labels"]["opencti-connector-id"] for w in found)
        assert ids == sorted(connectors), f"{len(ids)} workloads of {len(set(ids))} connectors"
        left = sum(w["running"] != running for w in found)
        assert left == 0, f"{left} are not as wished"
        return True
    eventually(lambda: all_of(True), 180, "all run", pause=1.0)
    s.settled(connectors)
    up = time.monotonic() - began
    for connector in connectors:
        s.platform.request(connector, "stopping")
    eventually(lambda: all_of(False), 120, "all are stopped", pause=1.0)
    halted = time.monotonic() - began - up
    daemon.terminate()
    down = daemon.run("--down", timeout=120)
    assert down.returncode == 0, down.stderr[-500:]
    assert not s.backend.workloads({"opencti-manager": daemon.manager_id})
    print(f"  {MANY} started in {up:.0f} s, stopped in {halted:.0f} s, removed in {time.monotonic() - began - up - halted:.0f} s")
