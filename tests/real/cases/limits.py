"""The table of docs/limits.md: what happens at each bound.  Nothing is lost, and what ends the trouble ends its effects."""

import glob
import os
import resource
import subprocess

from lib import check
from lib.case import case
from lib.tcpfront import Front
from lib.wait import eventually, stays

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


@case
def log_line_of_a_mebibyte_is_cut_and_what_follows_is_read(world):
    world.gantryd().start()
    world.engine.make_image("test/longline", command=[
        "/bin/sh", "-c", "trap 'exit 0' TERM; head -c 1048576 /dev/zero | tr '\\0' y; echo; echo after it; sleep 1000 & wait"])
    connector = world.platform.add("longline", "test/longline:latest")
    check.logs_say(world, connector, "after it", timeout=30)
    logs = world.platform.report(connector)["logs"]
    assert max(len(line.encode()) for line in logs) <= 4200, "a line is too long"
    assert any("yyyy" in line for line in logs), "the beginning of the long line is there"


@case
def strangers_on_the_host_cost_nothing(world):
    """The engine is asked with the manager's label: what it answers does not grow with the host."""
    path = world.engine.home + "/front.sock"
    front = Front(path, world.engine.socket)
    world.closing.append(front.close)
    daemon = world.gantryd(engine="unix://" + path)
    connector = world.platform.add("among-many")
    daemon.start()
    before = check.mark(world, connector)
    for number in range(300):
        world.engine.create(f"stranger-{number}", "test/busy", {"opencti-manager": "another", "opencti-connector-id": "its"}, start=False)
    check.stays_untouched(world, {connector: before}, 3)
    listed = [path for _, path in front.requests if "/containers/json" in path]
    assert listed and all(daemon.manager_id in path for path in listed), listed[:3]
    mine = world.engine.containers({"opencti-manager": daemon.manager_id})
    assert len(mine) == 1, "what the daemon is answered is its own"


@case
def full_disk_under_the_state_folder(world):
    daemon = world.gantryd()
    state = daemon.home + "/state"
    os.makedirs(state, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", state], check=True)
    world.closing.append(lambda: subprocess.run(["umount", "-l", state], check=True))
    connectors = [world.platform.add(f"first-{i}") for i in range(2)]
    daemon.start()
    marks = {connector: check.mark(world, connector) for connector in connectors}
    with open(state + "/ballast", "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"x" * 512)
        except OSError:
            pass
    late = world.platform.add("late")
    check.running(world, late)
    check.reported(world, late, "started")
    daemon.waits_for("state cannot be written", 30)
    check.stays_untouched(world, marks, 3)
    assert sum("state cannot be written" in str(line) for line in daemon.complaints()) == 1, "it is said once"
    os.unlink(state + "/ballast")

    def written():
        with open(state + "/state.json", encoding="utf-8") as file:
            return late in file.read()
    eventually(written, 30, "the state is written when there is room again")
    daemon.kill()
    daemon.start()
    check.stays_untouched(world, marks, 4)


@case
def no_more_descriptors(world):
    daemon = world.gantryd()
    connectors = [world.platform.add(f"first-{i}") for i in range(3)]
    daemon.start()
    marks = {connector: check.mark(world, connector) for connector in connectors}
    pid = daemon.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(glob.glob(f"/proc/{pid}/fd/*"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(used, 12), limits[1]))
    late = world.platform.add("late")
    world.platform.request(connectors[0], "stopping")
    stays(daemon.running, 8, "it lives on")
    for connector in connectors[1:]:
        check.untouched(world, connector, marks[connector])
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    check.running(world, late, 60)
    check.stopped(world, connectors[0], 60)
    check.reported(world, late, "started", 60)
    for connector in connectors[1:]:
        check.untouched(world, connector, marks[connector])


@case(each=("+40d", "-40d"))
def clock_that_jumps(world):
    """Pauses and deadlines are by the monotonic clock: a jump neither hurries nor stalls anything."""
    daemon = world.gantryd()
    clock = daemon.write("clock", "+0\n")
    daemon.environment = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_CACHE_DURATION": "1",
                          "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    assert os.path.exists(FAKETIME), "faketime is missing: run tests/real/setup.sh"
    connector = world.platform.add("steady")
    daemon.start()
    before = check.mark(world, connector)
    check.reported(world, connector, "started")
    daemon.write("clock", world.value + "\n")
    check.stays_untouched(world, {connector: before}, 5)
    late = world.platform.add("late")
    check.running(world, late, 15)
    check.reported(world, late, "started")
    world.engine.kill_container(before[0])
    check.running(world, connector, 20)
    times = [line["time"][:10] for line in daemon.lines()]
    assert len(set(times)) > 1, "the clock did jump"
    health = world.platform.report(connector)["health"]
    assert not health["is_in_reboot_loop"], health
