#!/usr/bin/env python3
"""CPU of a cycle and memory of a connector, with thousands of them.

A cycle is what gantryd does each `interval`: one listing of the platform, one of the runtime where its plugin has no
`watch` (this one has none).  All CPU of the process counts: loop, workers, plugin.  Reading logs and reporting health
have timers of their own for each connector: they are measured apart, per second, as they are by default."""
import json
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "real"))
from lib import process  # noqa: E402
from lib.gantryd import Gantryd, build_folder  # noqa: E402
from lib.wait import eventually  # noqa: E402

INTERVAL = 0.5
CYCLES = 30
CHANGES = 5
SETTLE = 22  # the state is written, and memory given back, each 10 s
QUIET = {"logs_interval": "24h", "health_interval": "5m"}
DEFAULT = {"logs_interval": None, "health_interval": None}


class Server:
    def __init__(self, count):
        self.process = process.spawn([build_folder() + "/bench/scale_platform", str(count)], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, bufsize=1)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def say(self, line):
        self.process.stdin.write(line + "\n")
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def cpu_ms(pid):
    """Of all threads, to the nanosecond; a thread that has ended is missed, but none does while we look."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def anonymous_kib(pid):
    """At rest: the least of some looks, as a cycle needs memory while it lasts."""
    least = memory_kib(pid)
    for _ in range(20):
        time.sleep(0.1)
        least = min(least, memory_kib(pid))
    return least


def memory_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1])
    raise AssertionError("no Anonymous in smaps_rollup")


def quick_kib(pid):
    """The same, cheap enough to be asked all the time, and as exact as the kernel keeps it."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("RssAnon:")[1].split()[0])


class Scale:
    def __init__(self, count):
        self.count = count
        self.server = Server(count)
        self.daemon = self.make()
        self.found = {}

    def make(self, home=None, manager_id=None, **platform):
        folder = build_folder() + "/bench"
        slots = (home or "/nonexistent") + "/workloads"
        daemon = Gantryd(None, self.server.url, {
            "manager": {"interval": f"{int(INTERVAL * 1000)}ms", "ping_interval": None, "plugin_path": folder},
            "log": {"level": None, "format": None},
            "platform opencti": {**DEFAULT, "list_timeout": None, "request_timeout": None, "connect_timeout": None,
                                 **(platform or QUIET)},
            "backend docker": {"socket": None}}, manager_id=manager_id, home=home)
        del daemon.sections["backend docker"]
        daemon.sections["backend scale"] = {"file": slots if home else daemon.home + "/workloads"}
        daemon.write_config()
        return daemon

    @property
    def pid(self):
        return self.daemon.process.pid

    def settle(self, healths):
        """All run, all of that is told, the state is written, and nothing is done any more but cycles."""
        peak = 0

        def told():
            nonlocal peak
            if not self.daemon.running():
                raise RuntimeError(self.daemon.tail())
            peak = max(peak, quick_kib(self.pid))
            counts = self.server.say("counts")
            return counts["started"] == self.count and counts["healths"] >= healths
        eventually(told, 600, "all run and are reported", pause=0.05)
        end = time.monotonic() + SETTLE
        while time.monotonic() < end:
            peak = max(peak, quick_kib(self.pid))
            time.sleep(0.05)
        return peak

    def window(self, seconds):
        """CPU in ms, and what was asked meanwhile."""
        before, cpu = self.server.say("counts"), cpu_ms(self.pid)
        time.sleep(seconds)
        cpu, after = cpu_ms(self.pid) - cpu, self.server.say("counts")
        return cpu, {key: after[key] - before[key] for key in after}

    def changed(self, unchanged):
        """CPU of what one changed hash causes beyond the cycles that come anyway: the listing is parsed, the
        configurations are fetched, the workload is replaced, the old one removed, the state written."""
        total = 0
        for i in range(CHANGES):
            self.server.say(f"hash {i * self.count // CHANGES}")
            cpu, asked = self.window(12)
            assert asked["configurations"] >= 1, asked
            total += cpu - (asked["listings"] - 1) * unchanged
        return total / CHANGES

    def run(self):
        began = time.monotonic()
        self.daemon.start()
        peak = self.settle(self.count)
        self.found["all run after, s"] = time.monotonic() - began - SETTLE
        self.found["peak KiB"] = peak
        self.found["created KiB"] = anonymous_kib(self.pid)
        if self.count:
            cpu, asked = self.window(CYCLES * INTERVAL)
            self.found["unchanged"] = cpu / asked["listings"]
            self.found["requests"] = asked["requests"] / asked["listings"]
            self.found["changed"] = self.changed(self.found["unchanged"])
            self.found["naive"] = self.naive()
        self.again(QUIET)
        self.found["adopted peak KiB"] = self.settle(2 * self.count)
        self.found["adopted KiB"] = anonymous_kib(self.pid)
        if self.count:
            self.again(DEFAULT)
            self.settle(3 * self.count)
            cpu, asked = self.window(30)
            self.found["default"] = cpu / 30
            self.found["default requests"] = asked["requests"] / 30
            self.found["default KiB"] = anonymous_kib(self.pid)
        self.close()
        return self.found

    def again(self, platform):
        """The same manager, started anew on the same workloads."""
        self.daemon.terminate()
        self.daemon = self.make(home=self.daemon.home, manager_id=self.daemon.manager_id, **platform)
        self.daemon.own_home = True
        self.daemon.start()

    def naive(self):
        done = subprocess.run([build_folder() + "/bench/naive_cycle", self.server.url + "/graphql", "20"],
                              capture_output=True, text=True, check=True)
        return float(done.stdout)

    def close(self):
        self.daemon.clean()
        self.server.stop()


def main():
    counts = [int(word) for word in sys.argv[1:]] or [1000, 10000]
    results = {count: Scale(count).run() for count in [0, *counts]}

    def row(what, value, goal=""):
        cells = "".join(f"{value(count):>12}" for count in counts)
        print(f"{what:<66}{cells}   {goal}", flush=True)

    def ms(key):
        return lambda count: f"{results[count][key]:.2f} ms"

    def each(key):
        return lambda count: f"{(results[count][key] - results[0]['created KiB']) * 1024 / count:.0f} B"

    row("connectors", str)
    row("CPU of an unchanged cycle", ms("unchanged"), "goal 20 ms")
    row("  the naive one: the listing alone, parsed with cJSON", ms("naive"))
    row("  requests to the platform in it", lambda count: f"{results[count]['requests']:.2f}")
    row("CPU of one changed hash, until its workload is replaced", ms("changed"))
    row("memory a connector, all created by this process", each("created KiB"), "goal 1024 B")
    row("memory a connector, all found running (after a restart)", each("adopted KiB"), "goal 1024 B")
    row("memory a connector, the same with the timers below", each("default KiB"))
    row("peak memory a connector, while all are created", each("peak KiB"))
    row("peak memory a connector, while all are found", each("adopted peak KiB"))
    row("CPU a second, logs read each 10 s and health told each 30 s", ms("default"))
    row("  requests to the platform a second", lambda count: f"{results[count]['default requests']:.1f}")
    row("time until all are created and reported", lambda count: f"{results[count]['all run after, s']:.1f} s")


if __name__ == "__main__":
    main()
