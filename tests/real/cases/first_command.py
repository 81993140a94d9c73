"""The first command of README.md: two connectors in a table, Ctrl-C, and --down, which leaves nothing behind."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

from lib import engine as engines
from lib.case import Skip, case
from lib.wait import eventually, stays

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
SCRIPT = os.path.join(ROOT, "examples", "local", "run.sh")
WORK = os.path.join(ROOT, "build", "example")
IMAGE = "gantry-example:1"
CONNECTORS = {"clock", "counter"}
BUILD_S = 900  # when nothing is built yet


def environment(engine_url):
    found = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "GANTRY_"))}
    return found | ({"DOCKER_HOST": engine_url} if engine_url else {})


def run(engine_url, *arguments):
    done = subprocess.run(["bash", SCRIPT, *arguments], env=environment(engine_url), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=BUILD_S)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
    return done.stdout


def prepare(world):
    """The script works below build/example: what an aborted run of these cases has left there goes first."""
    try:
        with open(os.path.join(WORK, "engine"), encoding="utf-8") as file:
            there = file.read().strip()
    except FileNotFoundError:
        there = ""
    path = there.removeprefix("unix://")
    assert not there or re.match(r"/tmp/gtd\.\w+/", path), f"the example runs on {there}: end it with run.sh --down"
    assert not os.path.exists(os.path.dirname(path)) or not path, f"the engine {there} of other tests is in use"
    shutil.rmtree(WORK, ignore_errors=True)
    world.closing.append(lambda: run(None, "--down") if os.path.exists(WORK) else None)


class Terminal:
    """A program on a terminal of its own, as if somebody sat there."""

    def __init__(self, arguments, variables):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir("/")
            os.execvpe(arguments[0], arguments, variables)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self):
        """Take what it has written; False when it has closed the terminal."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                piece = os.read(self.fd, 65536)
            except OSError:  # nobody has it open any more
                return False
            if not piece:
                return False
            self.text += piece.decode(errors="replace")
        return True

    def frame(self):
        """The last whole table that it has drawn, as lines."""
        self.read()
        frames = self.text.split("\033[H")[1:]
        whole = [frame for frame in frames if "Ctrl-C" in frame]
        return re.sub(r"\033\[\d*[A-Z]", "", whole[-1]).splitlines() if whole else []

    def rows(self):
        """{name: cells} of the table."""
        lines = self.frame()
        return {line.split()[0]: line.split() for line in lines[1:] if line.strip() and "Ctrl-C" not in line}

    def type(self, text):
        os.write(self.fd, text.encode())

    def status(self, timeout):
        """Wait for its end; the exit status."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = None
                self.read()
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        raise AssertionError(f"still runs after {timeout} s:\n{self.text[-1000:]}")

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def watch_table(world, engine_url):
    """Start the command on a terminal, see both connectors run and the table move, and press Ctrl-C."""
    terminal = Terminal(["bash", SCRIPT], environment(engine_url))
    world.closing.append(terminal.close)

    def both_run():
        assert terminal.read(), f"it has ended:\n{terminal.text[-2000:]}"
        rows = terminal.rows()
        assert set(rows) == CONNECTORS and all("running" in cells for cells in rows.values()), terminal.text[-1000:]
        return rows
    first = eventually(both_run, BUILD_S, "two connectors run in the table")
    assert terminal.frame()[0].split()[0] == "NAME", terminal.frame()
    eventually(lambda: all(cells != first[name] for name, cells in both_run().items()), 15, "the table's ages change")
    terminal.type("\x03")
    status = terminal.status(10)
    assert status == 0, f"exit status {status}\n{terminal.text[-1000:]}"
    assert "--down" in terminal.text[terminal.text.rindex("Ctrl-C"):], terminal.text[-500:]


def managed(engine):
    return [c for c in engine.containers() if "opencti-manager" in c["Labels"]]


def images(engine):
    return sorted(image["Id"] for image in engine.api("GET", "/images/json", query={"all": 1}))


@case(needs_gantryd=False)  # the command builds it
def table_shows_both_connectors_and_down_leaves_nothing(world):
    prepare(world)
    before = images(world.engine)
    watch_table(world, world.engine.url)

    def both_run():
        return {c["Labels"]["opencti-connector-id"] for c in managed(world.engine) if c["State"] == "running"} == CONNECTORS
    stays(both_run, 3, "the containers run on without the manager")
    assert "nothing is left" in run(world.engine.url, "--down")
    assert managed(world.engine) == []
    assert images(world.engine) == before, (images(world.engine), before)
    assert not os.path.exists(WORK)
    assert "nothing is there" in run(world.engine.url, "--down")


@case(needs_gantryd=False)  # the command builds it
def image_that_was_there_before_stays(world):
    prepare(world)
    name, tag = IMAGE.split(":")
    world.engine.make_image(name, tag, command=["/bin/sh", "-c", "while :; do sleep 1; done"])
    try:
        before = images(world.engine)
        run(world.engine.url, "--once")
        assert len(managed(world.engine)) == 2
        # Without DOCKER_HOST: it knows where it has started them.
        run(None, "--down")
        assert managed(world.engine) == [] and images(world.engine) == before
    finally:
        world.engine.api("DELETE", f"/images/{IMAGE}", query={"force": 1})


@case(needs_gantryd=False)  # the command builds it
def without_an_engine_it_starts_one_and_ends_it(world):
    machine = engines.Engine.__new__(engines.Engine)
    machine.socket = "/var/run/docker.sock"
    if machine.ping():
        raise Skip("this machine has an engine, which the command would use")
    prepare(world)
    interfaces = os.listdir("/sys/class/net")
    watch_table(world, None)
    own = engines.Engine.__new__(engines.Engine)
    own.socket = os.path.join(WORK, "docker.sock")
    assert sorted(c["Labels"]["opencti-connector-id"] for c in managed(own) if c["State"] == "running") == sorted(CONNECTORS)
    assert "nothing is left" in run(None, "--down")
    left = [pid for pid in engines.processes_below(WORK)]
    assert left == [], f"processes {left}"
    assert not os.path.exists(WORK)
    with open("/proc/mounts", encoding="utf-8") as file:
        assert WORK not in file.read()
    assert os.listdir("/sys/class/net") == interfaces
