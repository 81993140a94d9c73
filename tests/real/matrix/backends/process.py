"""The column of the process plugin: no engine at all.  The truth is read from the files of its folder and from /proc,
and workloads of somebody else are made as the plugin's shim takes them."""

import os
import secrets
import shutil
import signal
import tempfile
import threading
import time

from backend import Absent, Backend
from lib.gantryd import build_folder
from lib.wait import eventually
from scripts import NOTHING

PREFIX = "test/"
STATES = {"starting": "2", "stopping": "5"}  # as gantry/workload.h numbers them


def read_record(path):
    """{key: [values]} of a file of KEY=VALUE, each ended by a NUL."""
    found = {}
    with open(path, "rb") as file:
        for item in file.read().decode().split("\0")[:-1]:
            key, _, value = item.partition("=")
            found.setdefault(key, []).append(value)
    return found


def write_record(path, items):
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{key}={value}\0" for key, value in items))


def start_ticks(pid):
    """When that process was started; None: it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def cgroup2_controllers():
    with open("/proc/self/mounts", encoding="utf-8") as file:
        points = [line.split()[1] for line in file if line.split()[2] == "cgroup2"]
    for point in points:
        with open(point + "/cgroup.controllers", encoding="utf-8") as file:
            return file.read().split()
    return []


def end_cgroup(path):
    with open(path + "/cgroup.kill", "w", encoding="utf-8") as file:
        file.write("1")

    def empty():
        with open(path + "/cgroup.events", encoding="utf-8") as file:
            return "populated 0" in file.read()
    eventually(empty, 10, f"{path} is empty", pause=0.02)
    os.rmdir(path)


class Process(Backend):
    name = "process"
    plugin = "process"
    is_slow = False

    def __init__(self):
        self.home = None
        self.opt_out = {"broken_event_stream_is_followed_again_and_nothing_is_missed": "it has no stream that could break"}
        self.states = {}  # handle -> the real state of one that is pretended to have another
        if "memory" not in cgroup2_controllers():
            self.opt_out["want_of_memory_is_told"] = "this machine's cgroup2 has no memory controller"

    # ----- its own engine

    def start(self):
        self.home = tempfile.mkdtemp(prefix="gtx.", dir="/tmp")
        os.chmod(self.home, 0o711)

    def stop(self):
        if self.home:
            self.clean()
            shutil.rmtree(self.home, ignore_errors=True)

    def settings(self):
        shell = [f"{PREFIX}{name}=/bin/sh {self.script(name)}" for name in self.scripts]
        return {"folder": self.home, "images": [*shell, f"{PREFIX}nothing={NOTHING}"]}

    def script(self, name):
        path = f"{self.home}/{name}.sh"
        if not os.path.exists(path):
            new = f"{path}.{threading.get_ident()}"  # several cases may ask for it at once
            with open(new, "w", encoding="utf-8") as file:
                file.write(self.scripts[name])
            os.rename(new, path)
        return path

    def clean(self):
        self.up()
        self.honest()
        for workload in self.workloads():
            self.remove(workload["handle"])

    def image(self, name):
        return f"{PREFIX}{name}:latest"

    def away(self):
        """Below a file, where no folder can be."""
        path = self.home + "/file"
        with open(path, "w", encoding="ascii"):
            pass
        return {"folder": path + "/folder"}

    def refused(self):
        """A folder that is another user's."""
        path = self.home + "/of-another"
        os.makedirs(path + "/workloads", mode=0o700, exist_ok=True)
        os.chown(path + "/workloads", 65534, 65534)
        return {"folder": path}

    # ----- the truth

    def folder(self, handle=""):
        """Also while down() has put it elsewhere."""
        for name in ("workloads", "away"):
            if os.path.isdir(f"{self.home}/{name}"):
                return f"{self.home}/{name}/{handle}"
        return f"{self.home}/workloads/{handle}"

    def state(self, handle):
        try:
            return {key: values[0] for key, values in read_record(self.folder(handle) + "/state").items()}
        except FileNotFoundError:
            return {}

    def alive(self, state, who):
        """Its pid, if that very process lives."""
        pid = int(state.get(who + "_pid", 0))
        return pid if pid and start_ticks(pid) == int(state[who + "_ticks"]) else None

    def workloads(self, labels=None):
        found = []
        try:
            handles = os.listdir(self.folder())
        except FileNotFoundError:
            return []
        for handle in handles:
            if handle.startswith("."):
                continue
            try:
                about = read_record(self.folder(handle) + "/about")
            except FileNotFoundError:
                continue  # removed meanwhile
            own = dict(item.split("=", 1) for item in about.get("label", []))
            if any(own.get(key) != value for key, value in (labels or {}).items()):
                continue
            pid = self.alive(self.state(handle), "child")
            found.append({"handle": handle, "name": about["name"][0], "labels": own, "running": pid is not None, "pid": pid})
        return found

    def kill(self, handle):
        os.kill(self.alive(self.state(handle), "child"), signal.SIGKILL)

    def remove(self, handle):
        cgroup = self.state(handle).get("cgroup")
        for who in ("shim", "child"):
            pid = self.alive(self.state(handle), who)
            if pid:
                os.kill(pid, signal.SIGKILL)
                eventually(lambda: start_ticks(pid) is None, 10, f"process {pid} ends", pause=0.02)
        try:
            os.rename(self.folder(handle), self.folder("." + handle))
        except FileNotFoundError:
            return
        shutil.rmtree(self.folder("." + handle), ignore_errors=True)
        if cgroup and os.path.isdir(cgroup):
            end_cgroup(cgroup)

    def pause(self, handle):
        os.kill(self.alive(self.state(handle), "child"), signal.SIGSTOP)

    def outside(self, name, labels=None, script="busy", tty=False, start=True, environment=None):
        if tty:
            raise Absent("its programs write to pipes, never to a terminal")
        handle = secrets.token_hex(8)
        aside = f"{self.home}/outside-{handle}"  # beside the folder, as the plugin clears away what is half made in it
        os.makedirs(aside, mode=0o700)
        os.makedirs(self.folder(), mode=0o700, exist_ok=True)
        write_record(aside + "/about", [("name", name), ("image", self.image(script)), ("created_ms", int(time.time() * 1000)),
                                        *(("label", f"{key}={value}") for key, value in (labels or {}).items())])
        write_record(aside + "/spec", [("arg", "/bin/sh"), ("arg", self.script(script)),
                                       *(("env", f"{key}={value}") for key, value in (environment or {}).items())])
        os.rename(aside, self.folder(handle))
        if start:
            self.run_shim(handle)
        return handle

    def run_shim(self, handle):
        told, says = os.pipe()
        shim = build_folder() + "/plugins/gantry-process-shim"
        nowhere = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in range(3)]
        pid = os.posix_spawn(shim, [shim, self.folder(handle), "", "restart"], {},
                             file_actions=[(os.POSIX_SPAWN_DUP2, says, 3), *nowhere])  # 3: where it says how it went
        os.waitpid(pid, 0)
        os.close(says)
        with open(told, "rb") as answer:
            text = answer.read()
        assert text[:4] == b"\0\0\0\0", text

    # ----- faults: what the shim has written down is another state; it lives, and writes the next one itself

    def pretend(self, handle, state):
        if state not in STATES:
            raise Absent(f"it has no state '{state}'")
        real = self.state(handle)
        self.states[handle] = real
        self.replace_state(handle, {**real, "state": STATES[state]})

    def cut_streams(self):
        """There is none: a file that is replaced tells by itself."""

    def honest(self):
        for handle, real in self.states.items():
            if self.state(handle).get("state") in STATES.values():
                self.replace_state(handle, real)
        self.states.clear()

    def replace_state(self, handle, items):
        path = self.folder(handle) + "/state"
        write_record(path + ".test", items.items())
        os.rename(path + ".test", path)

    # ----- faults: the file system that the folder is on goes away and comes back

    def down(self):
        os.rename(self.home + "/workloads", self.home + "/away")

    def up(self):
        if os.path.isdir(self.home + "/away"):
            os.rename(self.home + "/away", self.home + "/workloads")
