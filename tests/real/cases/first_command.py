"""The first command of README.md: two connectors in a table, Ctrl-C, and --down, which leaves nothing behind.  It runs
them as processes: with no container engine within reach."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from lib.case import Skip, case
from lib.wait import eventually, stays

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
SCRIPT = os.path.join(ROOT, "examples", "local", "run.sh")
WORK = os.path.join(ROOT, "build", "example")
CONNECTORS = {"clock", "counter"}
BUILD_S = 900  # when nothing is built yet
MOST_MS = 1000  # from the start of gantryd until both run


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "GANTRY_"))}


def run(*arguments):
    done = subprocess.run(["bash", SCRIPT, *arguments], env=environment(), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=BUILD_S, check=False)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
    return done.stdout


def prepare(world):
    """The script works below build/example: what an aborted run of these cases has left there goes first."""
    if os.path.exists(WORK):
        run("--down")
    world.closing.append(lambda: run("--down") if os.path.exists(WORK) else None)


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


def programs():
    """{pid: connector} of what runs the example's connectors."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if command_line(pid) == "/bin/sh\0connector.sh\0":
                with open(f"/proc/{pid}/environ", "rb") as file:
                    found[pid] = "clock" if b"GREETING=the time is" in file.read() else "counter"
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def shims():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if command_line(pid).startswith("gantry-process-shim\0" + WORK):
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
        return file.read()


def took_ms(text):
    return int(re.search(r"both connectors run, (\d+) ms after gantryd was started", text).group(1))


@case(needs_gantryd=False)  # the command builds it
def table_shows_both_connectors_and_down_leaves_nothing(world):
    prepare(world)
    terminal = Terminal(["bash", SCRIPT], environment())
    world.closing.append(terminal.close)

    def both_run():
        assert terminal.read(), f"it has ended:\n{terminal.text[-2000:]}"
        rows = terminal.rows()
        assert set(rows) == CONNECTORS and all("running" in cells for cells in rows.values()), terminal.text[-1000:]
        return rows
    first = eventually(both_run, BUILD_S, "two connectors run in the table")
    assert terminal.frame()[0].split()[0] == "NAME", terminal.frame()
    took = took_ms(terminal.text)
    print(f"  from the start of gantryd until both run: {took} ms")
    assert took < MOST_MS, took
    running = programs()
    assert sorted(running.values()) == sorted(CONNECTORS), running
    eventually(lambda: all(cells != first[name] for name, cells in both_run().items()), 15, "the table's ages change")
    terminal.type("\x03")
    status = terminal.status(10)
    assert status == 0, f"exit status {status}\n{terminal.text[-1000:]}"
    assert "--down" in terminal.text[terminal.text.rindex("Ctrl-C"):], terminal.text[-500:]
    stays(lambda: programs() == running, 3, "they run on without the manager")
    run("--once")
    assert programs() == running, "the next manager has not adopted them"
    assert "nothing is left" in run("--down")
    assert programs() == {} and shims() == [] and not os.path.exists(WORK)
    assert "nothing is there" in run("--down")


ENGINES = ("/usr/bin/docker", "/usr/sbin/dockerd", "/usr/bin/containerd", "/usr/bin/podman", "/usr/bin/runc", "/usr/bin/crun")


@case(needs_gantryd=False)  # the command builds it
def no_container_engine_is_needed(world):
    """In a mount namespace where no engine's program can be run, and no engine's socket is there."""
    if os.geteuid() != 0:
        raise Skip("needs root to hide the engines of this machine")
    prepare(world)
    hide = "".join(f"[ ! -e {path} ] || mount --bind /dev/null {path}\n" for path in ENGINES)
    hide += "mount -t tmpfs none /run\n! docker version 2>/dev/null\n"
    done = subprocess.run(["unshare", "--mount", "bash", "-ec", hide + f"exec bash {SCRIPT} --once"], env=environment(),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
    assert sorted(programs().values()) == sorted(CONNECTORS), programs()
    assert "nothing is left" in run("--down")
    assert programs() == {} and shims() == []
