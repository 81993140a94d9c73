"""What gantryd tells the service manager that started it: readiness, status, signs of life, reload, the end."""

import os
import re
import select
import signal
import socket
import subprocess
import time

from lib import check, process
from lib.case import Skip, case
from lib.gantryd import environment, program
from lib.wait import eventually

MANUAL = os.path.join(os.path.dirname(__file__), "..", "..", "..", "daemon", "gantryd.8.md")


class ServiceManager:
    """The end of NOTIFY_SOCKET; each message is a dict of its lines."""

    def __init__(self, world, address):
        self.name = "@" + address[1:] if address.startswith("\0") else address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.messages = []
        world.closing.append(self.socket.close)

    def read(self):
        while select.select([self.socket], [], [], 0)[0]:
            text = self.socket.recv(4096).decode()
            assert len(text) < 1024 and not text.endswith("\n\n"), text
            self.messages.append(dict(line.split("=", 1) for line in text.splitlines()) | {"at": time.monotonic()})
        return self.messages

    def has(self, key, value=None, since=0):
        return [m for m in self.read()[since:] if key in m and value in (None, m[key])]

    def status(self):
        told = self.has("STATUS")
        return told[-1]["STATUS"] if told else ""

    def waits_for_status(self, pattern, timeout=20):
        eventually(lambda: re.search(pattern, self.status()), timeout, f"a status like {pattern!r}; it is {self.status()!r}")


def start(daemon, manager, **more):
    with open(daemon.log_path, "ab") as log:
        daemon.process = process.spawn([program(), "--config", daemon.config], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=environment() | {"NOTIFY_SOCKET": manager.name} | more)
    return daemon


def address(world, daemon):
    return "\0" + os.path.basename(daemon.home) if world.value == "abstract" else daemon.home + "/notify"


@case(each=("path", "abstract"))
def it_says_when_it_is_ready_and_when_it_ends(world):
    daemon = world.gantryd()
    manager = ServiceManager(world, address(world, daemon))
    connectors = [world.platform.add(f"told-{i}") for i in range(2)]
    start(daemon, manager)
    eventually(lambda: manager.has("READY", "1"), 10, "READY=1")
    manager.waits_for_status("^2 connectors: 2 run$")
    world.platform.request(connectors[0], "stopping")
    manager.waits_for_status("^2 connectors: 1 run, 1 not wanted$")
    assert not manager.has("WATCHDOG"), "nobody has asked for signs of life"
    assert not manager.has("STOPPING")
    code, _ = daemon.terminate()
    assert code == 0, code
    assert [list(m)[0] for m in manager.read()][-1] == "STOPPING", manager.messages[-3:]
    assert len(manager.has("READY")) == 1


@case
def it_is_ready_and_waits_for_platform_and_engine(world):
    front = world.front()
    daemon = world.gantryd(engine=f"unix://{world.engine.home}/later.sock", url=front.url)
    manager = ServiceManager(world, daemon.home + "/notify")
    front.set("html_502")
    world.platform.add("waits")
    began = time.monotonic()
    start(daemon, manager)
    eventually(lambda: manager.has("READY", "1"), 5, "READY=1")
    print(f"  ready after {time.monotonic() - began:.2f} s")
    manager.waits_for_status("platform opencti down; backend docker down$")
    front.clear()
    manager.waits_for_status("^1 connector: 1 not running; backend docker down$", 30)
    os.symlink(world.engine.socket, world.engine.home + "/later.sock")
    world.closing.append(lambda: os.unlink(world.engine.home + "/later.sock"))
    manager.waits_for_status("^1 connector: 1 run$", 30)


@case
def a_connector_in_a_loop_is_in_the_status(world):
    daemon = world.gantryd()
    manager = ServiceManager(world, daemon.home + "/notify")
    world.platform.add("fine")
    world.platform.add("crashes", "test/crash:latest")
    start(daemon, manager)
    manager.waits_for_status("^2 connectors: 1 run, 1 in a loop$", 60)


@case
def signs_of_life_come_while_the_loop_turns(world):
    daemon = world.gantryd()
    manager = ServiceManager(world, daemon.home + "/notify")
    start(daemon, manager, WATCHDOG_USEC="1000000")
    eventually(lambda: len(manager.has("WATCHDOG")) >= 6, 10, "signs of life")
    at = [m["at"] for m in manager.has("WATCHDOG")]
    widest = max(b - a for a, b in zip(at, at[1:]))
    print(f"  at most {widest:.2f} s apart")
    assert widest < 0.9, at
    # The process lives, its loop does not.
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    before = len(manager.has("WATCHDOG"))
    time.sleep(1.5)
    assert len(manager.has("WATCHDOG")) == before
    daemon.process.send_signal(signal.SIGCONT)
    eventually(lambda: len(manager.has("WATCHDOG")) > before, 5, "signs of life again")


@case(each=("own", "foreign"))
def signs_of_life_are_for_the_process_that_is_watched(world):
    daemon = world.gantryd()
    manager = ServiceManager(world, daemon.home + "/notify")
    # A shell in between has the id that the variable names; exec keeps it.
    command = "WATCHDOG_PID=$$ exec " if world.value == "own" else "WATCHDOG_PID=$$ "
    with open(daemon.log_path, "ab") as log:
        daemon.process = process.spawn(
            ["/bin/sh", "-c", f"{command} {program()} --config {daemon.config}; exit $?"], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
            env=environment() | {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "400000"})
    group = daemon.process.pid
    world.closing.append(lambda: world.value == "own" or os.killpg(group, signal.SIGKILL))
    eventually(lambda: manager.has("READY", "1"), 10, "READY=1")
    time.sleep(1)
    assert bool(manager.has("WATCHDOG")) == (world.value == "own"), manager.messages


@case
def what_it_starts_is_not_told_of_the_socket(world):
    source = """#include <stdio.h>
#include <stdlib.h>
__attribute__((destructor)) static void say(void)
{
    fprintf(stderr, "left behind: %d%d%d\\n", !!getenv("NOTIFY_SOCKET"), !!getenv("WATCHDOG_USEC"), !!getenv("WATCHDOG_PID"));
}
"""
    daemon = world.gantryd()
    library = daemon.home + "/say.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=source, text=True, check=True, timeout=60)
    manager = ServiceManager(world, daemon.home + "/notify")
    start(daemon, manager, WATCHDOG_USEC="1000000", LD_PRELOAD=library)
    eventually(lambda: manager.has("READY", "1"), 10, "READY=1")
    daemon.terminate()
    assert "left behind: 000" in daemon.text(), daemon.text()[-500:]


@case(each=("--validate", "--once"))
def who_does_not_stay_is_not_the_service(world):
    daemon = world.gantryd()
    manager = ServiceManager(world, daemon.home + "/notify")
    done = subprocess.run([program(), "--config", daemon.config, world.value], capture_output=True, text=True, timeout=30,
                          env=environment() | {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "1"})
    assert done.returncode == 0, done
    assert not manager.read(), manager.messages


@case(each=("relative", "away"))
def a_socket_that_cannot_be_used_is_no_reason_not_to_run(world):
    daemon = world.gantryd()
    world.platform.add("runs-all-the-same")
    with open(daemon.log_path, "ab") as log:
        daemon.process = process.spawn([program(), "--config", daemon.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=environment() | {"NOTIFY_SOCKET": "no" if world.value == "relative" else "/nonexistent/n"})
    eventually(lambda: any(c["State"] == "running" for c in world.engine.containers()), 20, "it runs")
    assert daemon.text().count("NOTIFY_SOCKET") == 1, daemon.text()[:500]


@case
def a_reload_is_told_from_begin_to_end(world):
    daemon = world.gantryd()
    manager = ServiceManager(world, daemon.home + "/notify")
    connector = world.platform.add("stays")
    start(daemon, manager)
    manager.waits_for_status("^1 connector: 1 run$")
    mark = check.mark(world, connector)

    def reload():
        before = len(manager.read())
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: manager.has("READY", "1", before), 10, "READY=1 after the reload")
        told = [m for m in manager.messages[before:] if "RELOADING" in m or "READY" in m]
        assert ["RELOADING" in m for m in told] == [True, False], told
        stamp = int(told[0]["MONOTONIC_USEC"])
        assert now <= stamp <= now + 5000000, (now, stamp)

    reload()
    daemon.sections["manager"]["id"] = "another"
    daemon.write_config()
    reload()
    manager.waits_for_status(r"^1 connector: 1 run; the settings were not reloaded: .*gantry.ini:2: \[manager\] id: .*restart", 5)
    daemon.sections["manager"]["id"] = daemon.manager_id
    daemon.write_config()
    reload()
    manager.waits_for_status("^1 connector: 1 run$", 5)
    check.untouched(world, connector, mark)


@case(needs_gantryd=False)
def the_unit_of_the_manual_is_a_good_one(world):
    if not os.path.exists("/usr/bin/systemd-analyze"):
        raise Skip("systemd-analyze is missing (package systemd)")
    with open(MANUAL, encoding="utf-8") as file:
        units = re.findall(r"((?:    .*\n|\n)*    \[Service\]\n(?:    .*\n|\n(?=    ))*)", file.read())
    assert len(units) == 1, "one unit in gantryd.8.md"
    text = re.sub("(?m)^    ", "", units[0]).strip() + "\n"
    for line in ("Type=notify-reload", "WatchdogSec=", "KillMode="):
        assert line in text, line
    version = int(subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True).stdout.split()[1])
    if version < 253:  # as the manual says
        text = text.replace("Type=notify-reload", "Type=notify\nExecReload=/bin/kill -HUP $MAINPID")
    daemon = world.gantryd(engine="unix:///nonexistent")
    unit = daemon.write("gantryd.service", text.replace("/usr/bin/gantryd", program()), 0o644)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "gantryd" in line]
    assert done.returncode == 0 and not said, (done.returncode, done.stdout, done.stderr)
