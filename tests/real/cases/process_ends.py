"""How processes end and are known again: pids, boots, groups, restarts."""

import os
import secrets as random
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "plugin"), os.path.join(HERE, "..", "matrix")]

from backends.process import start_ticks, write_record  # noqa: E402
from driver import Driver  # noqa: E402
from lib.case import Skip, case  # noqa: E402
from lib.process_plugin import LABELS, Plugin, ended, foreign_process  # noqa: E402
from lib.wait import eventually  # noqa: E402


# ----- who is who


@case
def pid_that_is_used_again_is_never_touched(world):
    plugin = Plugin(world)
    handle = plugin.start(once=True)
    plugin.driver.must("stop", handle=handle)
    stranger = foreign_process(world)
    ticks = start_ticks(stranger.pid)
    for wrong in (ticks - 1, ticks + 1):
        plugin.change_state(handle, state="3", stopped="0", shim_pid=stranger.pid, shim_ticks=wrong, child_pid=stranger.pid, child_ticks=wrong)
        plugin.is_in(handle, "failed")
        for operation in ("stop", "start", "remove"):
            plugin.driver.must(operation, handle=handle)
            assert stranger.poll() is None, f"{operation} struck a process that is not ours"
            if operation == "start":
                assert plugin.pid(handle) != stranger.pid
        handle = plugin.start(once=True)
        plugin.driver.must("stop", handle=handle)


@case
def after_another_boot_all_have_ended(world):
    plugin = Plugin(world)
    handle = plugin.start()
    shim, child = plugin.pid(handle, "shim"), plugin.pid(handle)
    real = plugin.state(handle)
    plugin.change_state(handle, boot="00000000-0000-4000-8000-000000000000")
    seen = plugin.is_in(handle, "exited")
    assert "exit_code" not in seen, seen
    plugin.driver.must("stop", handle=handle)
    assert not ended(shim) and not ended(child), "pids of another boot were believed"
    write_record(plugin.path(handle, "state"), real.items())
    plugin.is_in(handle, "running")


@case
def other_pid_namespace_is_unknown_and_not_absent(world):
    plugin = Plugin(world)
    handle = plugin.start()
    real = plugin.state(handle)
    plugin.change_state(handle, pid_namespace="1")
    plugin.is_in(handle, "unknown")
    for operation in ("stop", "start", "remove"):
        assert "namespace" in plugin.driver.fails("unavailable", operation, handle=handle)
    write_record(plugin.path(handle, "state"), real.items())
    plugin.is_in(handle, "running")


@case
def what_ran_in_a_container_that_was_started_anew_has_ended(world):
    plugin = Plugin(world)
    handle = plugin.start()
    shim, child = plugin.pid(handle, "shim"), plugin.pid(handle)
    os.kill(shim, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    eventually(lambda: ended(shim) and ended(child), 10, "both have ended")
    plugin.change_state(handle, pid_namespace="1")
    seen = plugin.is_in(handle, "exited")
    assert "exit_code" not in seen, seen
    plugin.driver.must("start", handle=handle)
    plugin.is_in(handle, "running")


@case
def damaged_file_is_an_error_and_not_absence(world):
    plugin = Plugin(world)
    handle = plugin.start()
    plugin.start(name="other")
    for file in ("about", "state"):
        with open(plugin.path(handle, file), "rb") as opened:
            whole = opened.read()
        for text in (b"", whole[:-3], b"\xff" * 100):
            with open(plugin.path(handle, file), "wb") as opened:
                opened.write(text)
            assert plugin.driver.fails("internal", "list", labels={"opencti-manager": "m"})
            assert plugin.driver.fails("internal", "inspect", handle=handle)
        with open(plugin.path(handle, file), "wb") as opened:
            opened.write(whole)
    assert len(plugin.driver.must("list", labels={"opencti-manager": "m"})["statuses"]) == 2


# ----- how it ends


@case(each=("auto", "none"))
def escaped_grandchildren_end_with_it(world):
    escape = "setsid sh -c 'echo $$ >>{0}/escaped; exec sleep 1000' & setsid sh -c 'setsid sleep 1001 & echo $! >>{0}/escaped' & "
    folder = tempfile.mkdtemp(prefix="gtx.", dir="/tmp")
    world.closing.append(lambda: shutil.rmtree(folder))
    plugin = Plugin(world, {"leave": escape.format(folder) + "while [ $(wc -l <{0}/escaped) -lt 2 ]; do sleep 0.05; done; exit 3".format(folder),
                            "stay": escape.format(folder) + "trap '' TERM; while :; do sleep 1; done"}, cgroup=world.value)
    for image in ("leave", "stay"):
        open(folder + "/escaped", "w", encoding="utf-8").close()
        handle = plugin.start(image, name=image, once=True)

        def pids():
            with open(folder + "/escaped", encoding="utf-8") as file:
                found = [int(word) for word in file.read().split()]
            assert len(found) == 2, found
            return found
        escaped = eventually(pids, 5, "two have escaped", pause=0.05)
        if image == "stay":
            plugin.driver.must("stop", handle=handle, grace_ms=200)
        eventually(lambda: plugin.is_in(handle, "failed", "exited"), 5, "it has ended", pause=0.05)
        assert all(ended(pid) for pid in escaped), f"{image}: {escaped} live on"


@case
def cgroup_is_made_and_removed(world):
    detail = Plugin(world).driver.must("probe")["detail"]
    if not detail.startswith("cgroup /"):
        raise Skip("there is no cgroup2 tree that can be written to")
    parent = f"{detail.split()[1]}/test-{random.token_hex(4)}"
    os.mkdir(parent)
    world.closing.append(lambda: os.rmdir(parent))

    def cgroups():
        return [name for name in os.listdir(parent) if os.path.isdir(f"{parent}/{name}")]
    plugin = Plugin(world, cgroup=parent)
    handle = plugin.start()
    path = f"{parent}/gantry-{handle}"
    with open(path + "/cgroup.procs", encoding="utf-8") as file:
        assert plugin.pid(handle) in [int(line) for line in file]
    assert plugin.state(handle)["cgroup"] == path
    plugin.driver.must("stop", handle=handle)
    assert cgroups() == []
    plugin.driver.fails("invalid", "start", spec={"image": "test/busy:1", "name": "n", "labels": LABELS, "settings": {"user": "no-such-user"}})
    assert cgroups() == [], "of a start that failed"
    for operation in ("remove", "stop", "start"):
        orphan = plugin.start(name=operation)
        for who in ("shim", "child"):
            os.kill(plugin.pid(orphan, who), signal.SIGKILL)
        eventually(lambda: plugin.is_in(orphan, "failed"), 5, "both have ended", pause=0.05)
        assert cgroups() == ["gantry-" + orphan]
        plugin.driver.must(operation, handle=orphan)
        plugin.driver.must("remove", handle=orphan)
        assert cgroups() == [], operation


@case
def start_while_it_ends_starts_it_again(world):
    plugin = Plugin(world, {"slow": "trap 'sleep 0.7; exit 0' TERM; echo on; while :; do sleep 0.1; done"})
    handle = plugin.start("slow", settings={"restart": "no"})
    eventually(lambda: plugin.texts(handle), 5, "it hears TERM", pause=0.05)
    before = plugin.pid(handle)
    plugin.driver.call("stop", handle=handle, grace_ms=5000, cancel_after_ms=100)
    plugin.is_in(handle, "stopping")
    assert plugin.driver.start(handle=handle)["state"] == "running"
    assert plugin.pid(handle) != before and ended(before)


@case
def restart_has_a_back_off_and_on_failure_means_it(world):
    plugin = Plugin(world, {"crash": "echo crash; exit 5", "quick": "echo quick"})
    handle = plugin.start("crash")
    again = plugin.start("quick", name="quick", settings={"restart": "on-failure"})
    time.sleep(2)
    seen = plugin.is_in(handle, "restarting", "running", "starting")
    assert 3 <= seen["restarts"] <= 5, seen  # after 0.1, 0.2, 0.4, 0.8 s
    assert seen["state"] != "restarting" or seen["exit_code"] == 5, seen
    assert plugin.texts(again) == ["quick"]
    assert plugin.is_in(again, "exited")["exit_code"] == 0
    took = plugin.driver.must("stop", handle=handle)["ms"]
    assert took < 1000, took
    plugin.is_in(handle, "exited")


@case
def program_that_vanishes_is_a_failure_and_not_tried_for_ever(world):
    plugin = Plugin(world)
    program = plugin.home + "/program"
    shutil.copy("/bin/false", program)
    plugin.driver.close()
    plugin.driver = Driver("process", {**plugin.settings, "images": [f"test/gone={program}"]})
    handle = plugin.start("gone")
    os.unlink(program)
    seen = eventually(lambda: plugin.is_in(handle, "failed"), 5, "it has failed", pause=0.05)
    assert seen["exit_code"] == 127 and program in seen["error"], seen


@case
def paused_program_is_told_and_goes_on(world):
    plugin = Plugin(world)
    handle = plugin.start()
    os.kill(plugin.pid(handle), signal.SIGSTOP)
    eventually(lambda: plugin.is_in(handle, "paused"), 5, "it is paused", pause=0.05)
    assert plugin.driver.start(handle=handle)["state"] == "running"
    os.kill(plugin.pid(handle), signal.SIGSTOP)
    eventually(lambda: plugin.is_in(handle, "paused"), 5, "it is paused again", pause=0.05)
    assert plugin.driver.must("stop", handle=handle, grace_ms=5000)["ms"] < 3000
