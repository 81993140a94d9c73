#!/usr/bin/env python3
"""50 new connectors until all run, on each backend, beside the engine's own floor: the same 50 workloads made by
plain requests on the engine's API (for processes: by fork and exec), 8 side by side, with nothing of Gantry.

Floor and Gantry take turns on the same engine in the same run, and the better of the rounds counts.  Gantry's time
is that of everything: the daemon's start, its registration and listing at the platform, and opening the secrets.
The engines are the columns of tests/real/matrix, without the fault fronts that the tests have between."""
import concurrent.futures
import http.client
import importlib
import itertools
import json
import os
import pathlib
import ssl
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
REAL = pathlib.Path(__file__).resolve().parent.parent / "tests" / "real"
sys.path[:0] = [str(REAL / "matrix"), str(REAL)]
from backend import Missing  # noqa: E402  (the path comes first)
from lib.engine import UnixConnection  # noqa: E402
from lib.gantryd import Gantryd  # noqa: E402
from lib.platform import Platform  # noqa: E402
from lib.portainer import KEY, Portainer  # noqa: E402
from lib.wait import eventually  # noqa: E402

COUNT, SIDE_BY_SIDE, ROUNDS = 50, 8, 2
GRACE_S = 10


def environment(i):
    return {"CONNECTOR_ID": f"bench-{i}", "SCOPE": "a,b,c", "TOKEN": f"secret-{i}", "OPENCTI_URL": "http://localhost:8080"}


LABELS = {"opencti-manager": "bench", "opencti-platform": "opencti", "gantry.hash": "0" * 64}


class Client:
    """Requests of one thread, on a connection that is kept."""

    def __init__(self, connect, prefix="", headers=None):
        self.connection, self.prefix, self.headers = connect(), prefix, headers or {}

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **self.headers} if data else self.headers
        self.connection.request(method, self.prefix + path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]}")
        return json.loads(text) if text.strip() else None


class Measured:
    """How a column is reached without its front, and the least that makes one workload on it."""
    column = ""  # of tests/real/matrix/backends
    file = ""    # where it is

    def __init__(self):
        module = importlib.import_module("backends." + self.file)
        self.backend = next(c for c in vars(module).values() if getattr(c, "name", None) == self.column)()
        self.local = threading.local()
        self.numbers = itertools.count()

    def start(self):
        self.backend.start()

    def stop(self):
        self.backend.stop()

    def clean(self):
        self.backend.clean()

    def settings(self):
        return {"socket": self.backend.engine.url}

    def client(self):
        return Client(lambda: UnixConnection(self.backend.engine.socket, 120))

    def ask(self, *request):
        if not hasattr(self.local, "client"):
            self.local.client = self.client()
        return self.local.client.ask(*request)

    def make(self, i):
        raise NotImplementedError

    def running(self):
        raise NotImplementedError


class Docker(Measured):
    column = file = "docker"

    def make(self, i):
        body = {"Image": self.backend.image("busy"), "Env": [f"{k}={v}" for k, v in environment(i).items()],
                "Labels": {**LABELS, "opencti-connector-id": str(i)}, "StopTimeout": GRACE_S,
                "HostConfig": {"NetworkMode": "none", "Init": True, "RestartPolicy": {"Name": "unless-stopped"},
                               "LogConfig": {"Type": "json-file", "Config": {"max-size": "10000000", "max-file": "3"}}}}
        made = self.ask("POST", f"/containers/create?name=bench-{i}", body)["Id"]
        self.ask("POST", f"/containers/{made}/start")

    def running(self):
        return len(self.ask("GET", "/containers/json"))


class OnPortainer(Docker):
    column = file = "portainer"

    def start(self):
        super().start()
        self.portainer = Portainer(self.backend.engine.socket)
        self.portainer.start()

    def stop(self):
        self.portainer.stop()
        super().stop()

    def settings(self):
        return self.portainer.settings()

    def client(self):
        trusted = ssl.create_default_context(cafile=self.portainer.ca_file)
        return Client(lambda: http.client.HTTPSConnection("localhost", self.portainer.port, timeout=120, context=trusted),
                      "/api/endpoints/2/docker", {"X-API-Key": KEY})


class Podman(Measured):
    column = file = "podman"

    def client(self):
        return Client(lambda: UnixConnection(self.backend.engine.socket, 120), "/v4.0.0/libpod")

    def make(self, i):
        made = self.ask("POST", "/containers/create", {
            "name": f"bench-{i}", "image": self.backend.image("busy"), "env": environment(i),
            "labels": {**LABELS, "opencti-connector-id": str(i)}, "init": True, "stop_timeout": GRACE_S,
            "netns": {"nsmode": "none"}, "log_configuration": {"driver": "k8s-file", "size": 10000000}})["Id"]
        self.ask("POST", f"/containers/{made}/start")

    def running(self):
        return len(self.ask("GET", "/containers/json"))


class PodmanOfUser(Podman):
    column = "podman-rootless"


class Swarm(Measured):
    column = file = "swarm"

    def make(self, i):
        self.ask("POST", "/services/create", {
            "Name": f"bench-{i}", "Labels": {**LABELS, "opencti-connector-id": str(i)},
            "Mode": {"Replicated": {"Replicas": 1}},
            "TaskTemplate": {"ContainerSpec": {
                "Image": self.backend.image("busy"), "Init": True, "StopGracePeriod": GRACE_S * 10**9,
                "Env": [f"{k}={v}" for k, v in environment(i).items()]}}})

    def running(self):
        return sum(task["Status"]["State"] == "running" for task in self.ask("GET", "/tasks"))


class Process(Measured):
    """The floor is fork and exec, each with a file for its output."""
    column = file = "process"

    def __init__(self):
        super().__init__()
        self.made = []

    def settings(self):
        return self.backend.settings()

    def make(self, i):
        with open(f"{self.backend.home}/bench-{i}.log", "wb") as log:
            self.made.append(subprocess.Popen(["/bin/sh", self.backend.script("busy")], stdin=subprocess.DEVNULL,
                                              stdout=log, stderr=log, env=environment(i), start_new_session=True))

    def running(self):
        return len(self.made) or sum(w["running"] for w in self.backend.workloads())

    def clean(self):
        for process in self.made:
            process.kill()
            process.wait()
        self.made.clear()
        self.backend.clean()


ALL = (Docker, OnPortainer, Podman, PodmanOfUser, Swarm, Process)


def floor(measured):
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        list(pool.map(measured.make, range(COUNT)))
    eventually(lambda: measured.running() >= COUNT, 300, "all run", pause=0.02)
    return time.monotonic() - began


def gantry(measured, platform):
    backend = measured.backend
    section = {**measured.settings(), **backend.connector_settings()}
    if backend.plugin != backend.name:
        section["plugin"] = backend.plugin
    daemon = Gantryd(None, platform.url, {
        "manager": {"interval": None, "ping_interval": None, "concurrency": str(SIDE_BY_SIDE)},
        "log": {"level": "info"}, f"backend {backend.name}": section,
        "platform opencti": dict.fromkeys(("logs_interval", "health_interval", "list_timeout", "request_timeout",
                                           "connect_timeout"))})
    try:
        platform.knows_manager(daemon.manager_id, daemon.public_key)
        for i in range(COUNT):
            platform.add(f"bench {i}", image=backend.image("busy"), configuration=[
                {"key": "SCOPE", "value": "a,b,c"}, {"key": "TOKEN", "value": f"secret-{i}", "secret": True}])
        began = time.monotonic()
        daemon.start()
        eventually(lambda: measured.running() >= COUNT, 300, "all run", pause=0.02)
        return time.monotonic() - began
    except AssertionError:
        print(daemon.tail(20), file=sys.stderr)
        raise
    finally:
        daemon.clean()
        platform.reset()


def measure(kind, platform):
    measured = kind()
    floors, ours = [], []
    try:
        measured.start()
        for _ in range(ROUNDS):
            floors.append(floor(measured))
            measured.clean()
            ours.append(gantry(measured, platform))
            measured.clean()
    finally:
        measured.stop()
    least, best = min(floors), min(ours)
    print(f"{kind.column:<16} {least:>8.2f} s {best:>8.2f} s {best / least:>7.2f} {(best - least) / COUNT * 1000:>+9.1f} ms",
          flush=True)


def main():
    wanted = sys.argv[1:] or [kind.column for kind in ALL]
    unknown = set(wanted) - {kind.column for kind in ALL}
    if unknown:
        sys.exit(f"no such backend: {', '.join(sorted(unknown))}; there are {', '.join(kind.column for kind in ALL)}")
    if os.geteuid() != 0:
        sys.exit("needs root, as the engines do")
    platform = Platform("real").start()
    print(f"{COUNT} new connectors until all run, {SIDE_BY_SIDE} side by side; the better of {ROUNDS} rounds\n")
    print(f"{'backend':<16} {'floor':>10} {'Gantry':>10} {'ratio':>7} {'a connector':>12}", flush=True)
    try:
        for kind in ALL:
            if kind.column in wanted:
                try:
                    measure(kind, platform)
                except Missing as missing:
                    print(f"{kind.column:<16} not measured: {missing}", flush=True)
    finally:
        platform.stop()


main()
