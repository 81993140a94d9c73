"""Choosing another backend: one line of the settings, and drain = yes in the old section."""

import json
import os
import subprocess

from lib import check
from lib.case import case
from lib.engine import Engine
from lib.folder import put
from lib.gantryd import environment, program
from lib.wait import eventually, stays

_second = []


def second_engine(world):
    """Another engine, shared by the cases of this file; the world ends it."""
    if not _second:
        _second.append(Engine().start())
        _second[0].make_images()
        close = world.close
        world.close = lambda: (_second[0].stop(), close())
    if _second[0].process.poll() is not None:
        _second[0].start()
    world.closing.append(_second[0].remove_all)
    return _second[0]


def switch(daemon, old, new, drain):
    """The section of the backend in use names the new engine; the old one, if it stays, is drained."""
    daemon.sections["backend docker"] = {"socket": new.url}
    daemon.sections.pop("backend old", None)
    if drain:
        daemon.sections["backend old"] = {"plugin": "docker", "socket": old.url, "drain": "yes", "stop_timeout": "1s"}
    daemon.write_config()


def runs_on(engine, connectors):
    found = {c["Labels"]["opencti-connector-id"]: c["State"] for c in engine.containers({}, True)}
    assert found == {c: "running" for c in connectors}, found
    return True


def nothing_on(engine):
    found = [(c["Names"], c["State"]) for c in engine.containers()]
    assert not found, found
    return True


def processes_of(daemon):
    """Those that run as connectors of this daemon without a container."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ, open(f"/proc/{pid}/cmdline", "rb") as command:
                if f"MOVER={daemon.manager_id}".encode() in environ.read() and b"98765" in command.read():
                    found.append(pid)
        except OSError:
            pass
    return found


def events(daemon, *arguments):
    done = subprocess.run([program("gantry"), "events", "--config", daemon.config, "--json", "-n", "0", *arguments],
                          capture_output=True, text=True, timeout=30, env=environment(), check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@case
def connectors_come_up_on_the_new_backend_and_nothing_runs_on_the_old_one(world):
    old, new = world.engine, second_engine(world)
    daemon = world.gantryd().start()
    connectors = [world.platform.add(f"mover-{i}") for i in range(3)]
    halted = world.platform.add("halted")
    for connector in [*connectors, halted]:
        check.running(world, connector)
        check.reported(world, connector, "started")
    world.platform.request(halted, "stopping")
    check.stopped(world, halted)
    daemon.terminate()

    # Without drain: refused, and nothing is touched.
    switch(daemon, old, new, drain=False)
    done = daemon.run("--once")
    assert done.returncode == 2, (done.returncode, done.stderr)
    for words in ("drain = yes", "gantryd --down", "[platform opencti] backend"):
        assert words in done.stderr, done.stderr
    assert nothing_on(new) and len(old.containers()) == 4

    switch(daemon, old, new, drain=True)
    said = {c: len(world.platform.report(c)["statuses"]) for c in connectors}
    shown = daemon.run("--validate")
    assert shown.returncode == 0 and "[backend old] drain = yes" in shown.stdout, shown.stdout + shown.stderr
    dry = daemon.run("--dry-run")
    assert dry.returncode == 0 and dry.stdout.count("would act") + dry.stderr.count("would act") >= 6, dry.stdout + dry.stderr
    assert nothing_on(new) and len(old.containers()) == 4
    daemon.start()
    eventually(lambda: runs_on(new, connectors), 30, "all run on the new backend")
    assert len([c for c in old.containers() if c["State"] == "running"]) == 3, "one ended before its follower ran for long"
    eventually(lambda: nothing_on(old), 30, "the old backend is empty")
    assert runs_on(new, connectors)
    daemon.waits_for("backend is drained: its section can be removed")
    assert {c: len(world.platform.report(c)["statuses"]) for c in connectors} == said, "another status was told meanwhile"
    told = [(e["backend"], e["action"]) for e in events(daemon, "--connector", connectors[0]) if e["kind"] == "action"]
    assert told == [("docker", "create")] * 2 + [("old", "stop"), ("old", "remove")], told
    last = events(daemon, "--connector", connectors[0])[-1]
    assert "runs on its new backend" in last["cause"] and "moves to backend 'docker'" in last["cause"], last
    daemon.terminate()

    # Its section can go, and the name does not matter.
    switch(daemon, old, new, drain=False)
    daemon.sections["backend renamed"] = {"plugin": "docker", **daemon.sections.pop("backend docker")}
    daemon.write_config()
    done = daemon.run("--once")
    assert done.returncode == 0, done.stderr
    assert runs_on(new, connectors)

    # Two ways to one engine: what is there already has not to move, and the old way can go.
    link = daemon.home + "/engine.sock"
    os.symlink(new.socket, link)
    daemon.sections["backend again"] = {"plugin": "docker", "socket": "unix://" + link}
    daemon.sections["backend renamed"]["drain"] = "yes"
    daemon.write_config()
    ids = sorted(c["Id"] for c in new.containers())
    done = daemon.run("--once")
    assert done.returncode == 0 and "backend is drained: its section" in done.stderr, done.stderr
    assert "action begins" not in done.stderr, done.stderr
    del daemon.sections["backend renamed"]
    daemon.write_config()
    done = daemon.run("--once")
    assert done.returncode == 0, done.stderr
    assert runs_on(new, connectors) and sorted(c["Id"] for c in new.containers()) == ids
    check.kept_the_protocol(world)


@case
def a_move_goes_on_after_a_crash_and_without_the_old_engine(world):
    """Killed in the middle; the old engine is away meanwhile, and the image is missing for one."""
    old, new = world.engine, second_engine(world)
    old.make_image("test/stays", command=["sleep", "1000"])
    daemon = world.gantryd(kind="local")
    names = ["one", "two", "three"]
    for name in names:
        put(daemon, name)
    put(daemon, "stays", image="test/stays:latest")
    daemon.start()
    eventually(lambda: runs_on(old, [*names, "stays"]), 30, "all run on the old backend")
    daemon.kill()
    switch(daemon, old, new, drain=True)
    daemon.sections["backend docker"]["pull_policy"] = "never"
    daemon.write_config()
    old.kill()  # its containers run on
    daemon.start()
    eventually(lambda: runs_on(new, names), 30, "new ones run, whatever the old engine does")
    daemon.kill()
    daemon.start()
    stays(lambda: runs_on(new, names), 1)
    old.start()
    eventually(lambda: runs_on(old, ["stays"]), 40, "those that run elsewhere are gone, the one that cannot is not")
    daemon.terminate()
    switch(daemon, old, new, drain=False)
    done = daemon.run("--once")
    assert done.returncode == 2 and "drain = yes" in done.stderr, done.stderr
    switch(daemon, old, new, drain=True)
    new.make_image("test/stays", command=["sleep", "1000"])
    done = daemon.run("--once")
    assert done.returncode == 0, done.stderr
    assert nothing_on(old) and runs_on(new, [*names, "stays"])
    assert "backend is drained: its section" in done.stderr, done.stderr


@case
def from_containers_to_processes(world):
    daemon = world.gantryd(kind="local")
    put(daemon, "one", {"MOVER": daemon.manager_id})
    put(daemon, "two", {"MOVER": daemon.manager_id})
    assert daemon.run("--once").returncode == 0
    assert runs_on(world.engine, ["one", "two"])
    daemon.sections["backend process"] = {"images": "test/busy=/bin/sleep 98765", "folder": daemon.home + "/processes"}
    daemon.sections["backend docker"] |= {"drain": "yes", "stop_timeout": "1s"}
    daemon.write_config()
    try:
        done = daemon.run("--once")
        assert done.returncode == 0 and nothing_on(world.engine), done.stderr
        assert len(processes_of(daemon)) == 2, processes_of(daemon)
        del daemon.sections["backend docker"]
        daemon.write_config()
        assert daemon.run("--once").returncode == 0
    finally:
        done = daemon.run("--down")
    assert done.returncode == 0 and not processes_of(daemon), done.stderr


@case
def down_with_the_old_settings_is_the_other_way_out(world):
    old, new = world.engine, second_engine(world)
    daemon = world.gantryd(kind="local")
    put(daemon, "one")
    put(daemon, "two")
    assert daemon.run("--once").returncode == 0
    assert runs_on(old, ["one", "two"])
    assert daemon.run("--down").returncode == 0
    switch(daemon, old, new, drain=False)
    done = daemon.run("--once")
    assert done.returncode == 0, done.stderr
    assert runs_on(new, ["one", "two"]) and nothing_on(old)
    # Back, with both sides there: --down takes both.
    switch(daemon, new, old, drain=True)
    put(daemon, "two", image="test/none:missing")
    daemon.sections["backend docker"]["pull_policy"] = "never"
    daemon.write_config()
    assert daemon.run("--once").returncode == 1  # two's image is missing
    assert runs_on(old, ["one"]) and runs_on(new, ["two"])
    done = daemon.run("--down")
    assert done.returncode == 0, done.stderr
    assert nothing_on(old) and nothing_on(new)
