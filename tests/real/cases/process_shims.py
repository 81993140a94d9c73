"""The shims of processes: killed, raced with, robbed of what they need; and what a host that ends leaves."""

import fcntl
import json
import os
import pwd
import resource
import secrets as random
import shutil
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "plugin"), os.path.join(HERE, "..", "matrix")]

from driver import BUILD, Driver  # noqa: E402
from lib.case import Skip, case  # noqa: E402
from lib.process_plugin import LABELS, Plugin, cpu_ticks, ended, status_of  # noqa: E402
from lib.wait import eventually, stays  # noqa: E402


@case
def program_whose_shim_was_killed_is_found_and_not_doubled(world):
    plugin = Plugin(world, {"quiet": "exec sleep 1000"})
    driver = plugin.driver
    handle = plugin.start("quiet")
    pid = plugin.pid(handle)
    driver.must("watch", labels={"opencti-manager": "m"})
    assert [e["kind"] for e in driver.must("events", count=1, wait_ms=5000)["events"]] == ["synced"]
    os.kill(plugin.pid(handle, "shim"), signal.SIGKILL)
    events = driver.must("events", count=1, wait_ms=5000)["events"]
    assert events and events[0]["handle"] == handle, "that the shim is gone was not told"
    seen = plugin.is_in(handle, "running")
    assert "shim" in seen["error"], seen
    assert driver.start(handle=handle)["state"] == "running" and plugin.pid(handle) == pid and not ended(pid)
    driver.must("events", wait_ms=0)
    os.kill(pid, signal.SIGKILL)
    events = driver.must("events", count=1, wait_ms=5000)["events"]
    assert events and events[0]["handle"] == handle, "that the orphan ended was not told"
    plugin.is_in(handle, "failed")
    driver.start(handle=handle)
    assert plugin.is_in(handle, "running").get("error") is None


@case
def events_that_were_too_many_become_a_listing(world):
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="utf-8") as file:
        most = int(file.read())
    plugin = Plugin(world)
    driver = plugin.driver
    handle = plugin.start(once=True)
    driver.must("watch", labels={"opencti-manager": "m"})
    assert [e["kind"] for e in driver.must("events", count=1, wait_ms=5000)["events"]] == ["synced"]
    driver.process.send_signal(signal.SIGSTOP)
    eventually(lambda: status_of(driver.process.pid)["State"].startswith("T"), 5, "it reads no more", pause=0.01)
    names = [plugin.path(".a").rstrip("/"), plugin.path(".b").rstrip("/")]
    open(names[0], "w", encoding="utf-8").close()
    for i in range(most // 2 + 10):  # two events each
        os.rename(names[i % 2], names[(i + 1) % 2])
    os.kill(plugin.pid(handle), signal.SIGKILL)
    eventually(lambda: plugin.state(handle)["state"] == "7", 5, "it has failed, which no event tells", pause=0.02)
    driver.process.send_signal(signal.SIGCONT)
    eventually(lambda: any(e["kind"] == "synced" for e in driver.must("events", count=1, wait_ms=1000)["events"]), 10, "it lists again")
    while driver.must("events", count=1, wait_ms=300)["events"]:
        pass
    driver.start(handle=handle)
    told = driver.must("events", count=1, wait_ms=5000)["events"]
    assert [e["kind"] for e in told][:1] == ["changed"], told


@case
def orphan_is_stopped_politely_then_hard(world):
    plugin = Plugin(world, {"polite": "exec 2>/dev/null; trap 'touch $PWD/polite; exit 0' TERM; while :; do sleep 1 & wait $!; done",
                            "deaf": "trap '' TERM; while :; do sleep 1000; done"}, cgroup="none")
    for name in ("polite", "deaf"):
        handle = plugin.start(name, name=name, settings={"working_directory": plugin.home})
        pid = plugin.pid(handle)
        time.sleep(0.3)  # its trap is set
        os.kill(plugin.pid(handle, "shim"), signal.SIGKILL)
        took = plugin.driver.must("stop", handle=handle, grace_ms=1000)["ms"]
        assert ended(pid) and (took < 800) == (name == "polite"), (name, took)
        plugin.is_in(handle, "exited")
    assert os.path.exists(plugin.home + "/polite")


@case
def one_folder_has_one_shim(world):
    plugin = Plugin(world)
    handle = plugin.start()
    shim = os.readlink(f"/proc/{plugin.pid(handle, 'shim')}/exe")
    before = plugin.state(handle)
    told, says = os.pipe()
    pid = os.posix_spawn(shim, [shim, plugin.path(handle).rstrip("/"), "", "restart"], {}, file_actions=[(os.POSIX_SPAWN_DUP2, says, 3)])
    os.waitpid(pid, 0)
    os.close(says)
    with open(told, "rb") as answer:
        assert b"another shim" in answer.read()
    time.sleep(0.3)
    assert plugin.state(handle) == before and not ended(plugin.pid(handle))


def locked(path):
    """A file that another holds, until it is closed."""
    file = open(path, "a", encoding="utf-8")  # pylint: disable=consider-using-with
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


@case
def what_a_shim_begins_to_run_is_not_removed(world):
    plugin = Plugin(world)
    handle = plugin.start()
    plugin.driver.must("stop", handle=handle)
    with locked(plugin.path(handle, "lock")):
        assert "shim" in plugin.driver.fails("unavailable", "remove", handle=handle)
    plugin.is_in(handle, "exited")
    plugin.driver.must("remove", handle=handle)


@case
def lock_that_is_never_given_back_does_not_hold_a_call(world):
    plugin = Plugin(world)
    plugin.start()
    with locked(plugin.home + "/folder/lock"):
        spec = {"image": "test/busy:1", "name": "n", "labels": LABELS}
        answer = plugin.driver.call("start", spec=spec, cancel_after_ms=200)
        assert answer["word"] == "cancelled" and answer["ms"] < 3000, answer


@case
def what_is_not_ours_is_not_swept_and_no_name_is_cut(world):
    plugin = Plugin(world)
    plugin.start()
    strange = plugin.path(".kept-by-somebody")
    os.mkdir(strange)
    plugin.start(name="n" * 95)
    assert os.path.isdir(strange)
    assert "bytes" in plugin.driver.fails("invalid", "start", spec={"image": "test/busy:1", "name": "n" * 96, "labels": LABELS})
    assert "already" in plugin.driver.fails("unavailable", "start", spec={"image": "test/busy:1", "name": "n" * 95, "labels": LABELS})


@case
def orphans_group_ends_with_it(world):
    plugin = Plugin(world, {"two": "(trap '' TERM; echo on; exec sleep 1000) & echo $! >$PWD/second; trap 'exit 0' TERM; while :; do sleep 0.1; done"},
                    cgroup="none")
    handle = plugin.start("two", settings={"working_directory": plugin.home})
    eventually(lambda: "on" in plugin.texts(handle), 5, "the second is deaf", pause=0.05)
    with open(plugin.home + "/second", encoding="utf-8") as file:
        second = int(file.read())
    os.kill(plugin.pid(handle, "shim"), signal.SIGKILL)
    plugin.driver.must("stop", handle=handle, grace_ms=5000)
    eventually(lambda: ended(second), 3, "the second has ended", pause=0.05)


@case
def folder_of_another_user_is_refused(world):
    if os.geteuid() != 0:
        raise Skip("needs root to give a folder away")
    plugin = Plugin(world)
    handle = plugin.start()
    folder = plugin.home + "/folder/workloads"
    for change, back in ((lambda: os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1), lambda: os.chown(folder, 0, -1)),
                         (lambda: os.chmod(folder, 0o777), lambda: os.chmod(folder, 0o700))):
        change()
        for operation in ("inspect", "start", "stop", "remove"):
            assert "belong" in plugin.driver.fails("denied", operation, handle=handle)
        plugin.driver.fails("denied", "list", labels={})
        back()
    plugin.is_in(handle, "running")


@case
def files_of_the_program_do_not_keep_the_rest(world):
    plugin = Plugin(world)
    handle = plugin.start(files=[{"path": "/nonexistent/file", "text": "x", "mode": 0o400}])
    files = f"{plugin.home}/folder/files/{handle}"
    os.mkdir(files + "/of-the-program")
    plugin.driver.must("stop", handle=handle)
    plugin.driver.call("remove", handle=handle)
    assert not os.path.exists(plugin.path(handle)) and not os.path.exists(plugin.home + "/folder/workloads/." + handle)
    assert os.listdir(files) == ["of-the-program"]


@case
def watch_that_cannot_follow_says_so(world):
    plugin = Plugin(world)
    driver, other = plugin.driver, Driver("process", plugin.settings)
    world.closing.append(other.close)
    driver.must("watch", labels={"opencti-manager": "m"})
    assert [e["kind"] for e in driver.must("events", count=1, wait_ms=5000)["events"]] == ["synced"]
    pid = driver.process.pid
    limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limit[1]))
    handle = other.start(spec={"image": "test/busy:1", "name": "n", "labels": LABELS})["handle"]
    events = driver.must("events", count=1, wait_ms=5000)["events"]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    assert events and events[0]["kind"] == "ended" and events[0]["word"] == "unavailable", events
    other.must("remove", handle=handle)


@case
def shim_that_is_about_to_end_is_waited_for(world):
    plugin = Plugin(world)
    handle = plugin.start()
    plugin.driver.must("stop", handle=handle)
    with open(plugin.path(handle, "lock"), "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        timer = threading.Timer(0.3, fcntl.flock, (file, fcntl.LOCK_UN))
        timer.start()
        answer = plugin.driver.must("start", handle=handle)
        timer.join()
    assert answer["statuses"][0]["state"] == "running" and answer["ms"] >= 200, answer


@case
def start_that_hangs_can_be_stopped(world):
    detail = Plugin(world).driver.must("probe")["detail"]
    if not detail.startswith("cgroup /"):
        raise Skip("there is no cgroup2 tree that can be written to")
    parent_path = f"{detail.split()[1]}/test-{random.token_hex(4)}"
    os.mkdir(parent_path)
    world.closing.append(lambda: os.rmdir(parent_path))
    with open(parent_path + "/cgroup.freeze", "w", encoding="utf-8") as file:
        file.write("1")  # who is put into it gets no further
    plugin = Plugin(world, cgroup=parent_path)
    other = Driver("process", plugin.settings)
    world.closing.append(other.close)
    thread = threading.Thread(target=lambda: other.call("start", spec={"image": "test/busy:1", "name": "n", "labels": LABELS}))
    thread.start()
    seen = eventually(lambda: [s for s in plugin.driver.must("list", labels=LABELS)["statuses"] if s["state"] == "starting"], 5, "it begins", pause=0.05)
    took = plugin.driver.must("stop", handle=seen[0]["handle"], grace_ms=0)["ms"]
    thread.join()
    assert took < 5000, took


@case
def stop_ends_with_its_time(world):
    plugin = Plugin(world, {"deaf": "trap '' TERM; echo on; while :; do sleep 1; done"})
    handle = plugin.start("deaf")
    eventually(lambda: plugin.texts(handle), 5, "it is deaf", pause=0.05)
    before = cpu_ticks(plugin.driver.process.pid)
    answer = plugin.driver.call("stop", handle=handle, grace_ms=3000, timeout_ms=500)
    assert answer["word"] == "timed out", answer
    stays(lambda: cpu_ticks(plugin.driver.process.pid) - before < 50, 1)  # it does not wait by asking again and again
    plugin.driver.must("stop", handle=handle, grace_ms=0)


def driver_behind(world, plugin, words):
    """A second driver, begun by a shell with these words before it."""
    wrapper = plugin.home + "/driver"
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{words} {BUILD}/tests/plugin_driver\n")
    os.chmod(wrapper, 0o755)
    before = os.environ.get("GANTRY_PLUGIN_DRIVER", BUILD + "/tests/plugin_driver")
    os.environ["GANTRY_PLUGIN_DRIVER"] = wrapper
    try:
        driver = Driver("process", plugin.settings)
    finally:
        os.environ["GANTRY_PLUGIN_DRIVER"] = before
    world.closing.append(driver.close)
    return driver


@case
def limit_of_files_costs_lines_and_not_the_shim(world):
    plugin = Plugin(world, {"flood": "yes 123456789 | head -n 3000; exec sleep 1000"})
    driver = driver_behind(world, plugin, "ulimit -f 16; exec")  # 8 KiB: 256 lines to the byte
    handle = driver.start(spec={"image": "test/flood:1", "name": "n", "labels": LABELS})["handle"]
    eventually(lambda: status_of(plugin.pid(handle))["Name"] == "sleep", 10, "it has written all", pause=0.05)
    assert not ended(plugin.pid(handle, "shim")) and plugin.is_in(handle, "running").get("error") is None


@case
def capabilities_that_may_be_passed_on_are_not(world):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv")
    plugin = Plugin(world)
    driver = driver_behind(world, plugin, "exec setpriv --inh-caps +chown --ambient-caps +chown")
    for settings in ({"user": "nobody"}, {"hardened": True}):
        handle = driver.start(spec={"image": "test/busy:1", "name": "n", "labels": LABELS, "settings": settings})["handle"]
        status = status_of(plugin.pid(handle))
        assert all(int(status[key], 16) == 0 for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")), (settings, status)
        driver.must("remove", handle=handle)


@case
def host_keeps_no_child(world):
    plugin = Plugin(world, {"crash": "exit 5"})
    for i in range(5):
        plugin.start("crash" if i % 2 else "busy", name=f"n{i}")
    time.sleep(0.5)
    host = plugin.driver.process.pid
    children = [p for p in filter(str.isdigit, os.listdir("/proc")) if parent(p) == host]
    assert children == [], f"the host has the children {children}"


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


@case
def host_killed_in_the_middle_leaves_nothing_that_a_listing_does_not_tell(world):
    """SIGKILL at 25 moments of a create or replace: what is listed is what runs, and it can be put right."""
    plugin = Plugin(world, {"quiet": "exec sleep 1000.5"})
    labels = {"opencti-manager": "m"}
    mark = b"sleep\x001000.5\x00"

    def really():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file, open(f"/proc/{pid}/environ", "rb") as env:
                    if file.read() == mark and plugin.home.encode() in env.read():
                        found.append(int(pid))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return sorted(found)

    def settled():
        listed = plugin.driver.must("list", labels=labels)["statuses"]
        told = sorted(plugin.pid(item["handle"]) for item in listed if item["state"] == "running")
        assert told == really(), (listed, really())
        return {"listed": listed}

    def remove(item):
        """What a shim is about to begin is removed once it has: a manager asks again, too."""
        eventually(lambda: plugin.driver.call("remove", handle=item["handle"])["code"] == 0, 5, "it is removed", pause=0.05)

    for i in range(25):
        listed = eventually(settled, 5, "what is told is what runs", pause=0.02)["listed"]
        assert len(listed) <= 2, listed
        for item in listed[1:]:
            remove(item)
        spec = {"image": "test/quiet:1", "name": "c1", "labels": {**LABELS, "gantry.hash": f"h{i}"}, "env": {"HOME": plugin.home}}
        request = {"op": "start", "spec": spec, **({"handle": listed[0]["handle"]} if listed else {})}
        plugin.driver.process.stdin.write(json.dumps(request).encode() + b"\n")
        plugin.driver.process.stdin.flush()
        time.sleep(i * 0.0015)
        plugin.driver.process.kill()
        plugin.driver.process.wait()
        plugin.driver = Driver("process", plugin.settings)
    listed = eventually(settled, 5, "what is told is what runs", pause=0.02)["listed"]
    for item in listed:
        remove(item)
    assert really() == []
    plugin.start("quiet", name="last")
    left = [name for name in os.listdir(plugin.home + "/folder/workloads") if name.startswith(".")]
    assert left == [], "the next one sweeps what is left"
