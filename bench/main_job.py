#!/usr/bin/env python3
"""The figures of the main job, on a Docker Engine of its own and an Apollo Server.

What XTM Composer needs for the same was measured once, on a machine like those that this was made on: its figures
are printed beside ours, and are not from this run."""
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "real"))
from lib.engine import Engine  # noqa: E402
from lib.gantryd import Gantryd, build_folder  # noqa: E402
from lib.platform import Platform  # noqa: E402
from lib.wait import eventually  # noqa: E402

WRITES = "test/busy:latest"   # writes a line a second
QUIET = "bench/quiet:latest"  # writes nothing
COMPOSER = {"start 100": "26.7 s", "cpu": "12.7 s", "rss": "20 MiB", "anonymous": "7.1 MiB"}
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mib(pid):
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        words = line.split()
        if words[0] in ("Rss:", "Anonymous:"):
            found[words[0]] = int(words[1]) / 1024
    return found["Rss:"], found["Anonymous:"]


def row(what, ours, other, goal=""):
    print(f"{what:<52} {ours:>14}   {other:<34} {goal}", flush=True)


def running(engine):
    return len(engine.containers(everything=False))


def by_docker(engine, count):
    """The docker command, 8 at a time, with the options that Gantry sets."""
    names = "\n".join(f"bench-{i}" for i in range(count))
    command = ("docker -H %s run -d --init --restart unless-stopped --log-opt max-size=10m --log-opt max-file=3 "
               "--name {} -e CONNECTOR_ID={} %s" % (engine.url, WRITES))
    began = time.monotonic()
    subprocess.run(["xargs", "-P", "8", "-I", "{}", *command.split()], input=names, text=True, check=True,
                   stdout=subprocess.DEVNULL)
    eventually(lambda: running(engine) == count, 120, "all run", pause=0.02)
    return time.monotonic() - began


class Bench:
    def __init__(self):
        self.engine = Engine().start()
        self.engine.make_images()
        self.engine.make_image("bench/quiet", command=["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 100000 & wait"])
        self.platform = Platform("real").start()
        self.daemon = None

    def gantryd(self, **platform):
        defaults = {"logs_interval": None, "health_interval": None, "list_timeout": None, "request_timeout": None,
                    "connect_timeout": None}
        self.daemon = Gantryd(self.engine, self.platform.url, {
            "manager": {"interval": None, "ping_interval": None}, "log": {"level": "info"},
            "platform opencti": {**defaults, **platform}})
        self.platform.knows_manager(self.daemon.manager_id, self.daemon.public_key)
        return self.daemon

    def add(self, count, image):
        return [self.platform.add(f"bench {i}", image=image, configuration=[
            {"key": "SCOPE", "value": "a,b,c"}, {"key": "TOKEN", "value": f"secret-{i}", "secret": True}])
            for i in range(count)]

    def clear(self):
        if self.daemon:
            self.daemon.clean()
        self.platform.reset()
        self.engine.remove_all()

    def start(self, count):
        docker = by_docker(self.engine, count)
        self.clear()
        daemon = self.gantryd()
        self.add(count, WRITES)
        began = time.monotonic()
        daemon.start()
        eventually(lambda: running(self.engine) == count, 300, "all run", pause=0.02)
        ours = time.monotonic() - began
        composer = f"; XTM Composer {COMPOSER['start 100']}" if count == 100 else ""
        row(f"{count} new connectors until all run", f"{ours:.1f} s", f"docker, 8 at a time: {docker:.1f} s{composer}",
            f"ratio {ours / docker:.2f} (goal 1.25)")
        self.clear()

    def steady(self, image, what, goal, composer):
        daemon = self.gantryd()
        connectors = self.add(100, image)
        daemon.start()
        eventually(lambda: running(self.engine) == 100, 300, "all run")
        time.sleep(40)  # the first logs and health of all
        before = self.platform.state()["reports"]
        used = cpu_seconds(daemon.process.pid)
        time.sleep(60)
        used = cpu_seconds(daemon.process.pid) - used
        after = self.platform.state()["reports"]
        logs = sum(len(after[c]["logs_times"]) > len(before[c]["logs_times"]) for c in connectors)
        health = sum(len(after[c]["health_times"]) > len(before[c]["health_times"]) for c in connectors)
        row(f"CPU of a steady minute, 100 connectors, {what}", f"{used:.2f} s", composer,
            f"(goal {goal} s); logs of {logs}, health of {health} reported")
        return daemon

    def memory(self, daemon):
        bare = subprocess.Popen([build_folder() + "/bench/bare_curl", self.platform.url], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        bare.stdout.readline()
        rss, anonymous = memory_mib(daemon.process.pid)
        bare_rss, bare_anonymous = memory_mib(bare.pid)
        bare.communicate()
        row("anonymous memory with 100 connectors", f"{anonymous:.1f} MiB",
            f"bare libcurl: {bare_anonymous:.1f}; XTM Composer: {COMPOSER['anonymous']}", "(goal 3.5 MiB)")
        row("resident memory with 100 connectors", f"{rss:.1f} MiB",
            f"bare libcurl: {bare_rss:.1f}; XTM Composer: {COMPOSER['rss']}")

    def close(self):
        if self.daemon:
            self.daemon.clean()
        self.platform.stop()
        self.engine.stop()


def main():
    parts = sys.argv[1:] or ["start", "steady"]
    bench = Bench()
    try:
        if "start" in parts:
            bench.start(50)
            bench.start(100)
        if "steady" in parts:
            daemon = bench.steady(WRITES, "a line a second each", 0.5, f"XTM Composer: {COMPOSER['cpu']}, logs of 1")
            bench.memory(daemon)
            bench.clear()
            bench.steady(QUIET, "quiet", 0.05, "")
    finally:
        bench.close()


main()
