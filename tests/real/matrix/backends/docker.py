"""Docker's column: Debian's dockerd on a socket of its own, with the fault front between it and the plugin."""

import json
import os

from engine_column import EngineColumn, missing_file
from lib.engine import CONTAINERD, DOCKERD, ApiError, Engine

VERSION = r"^(/v[0-9.]+)?"


class Docker(EngineColumn):
    name = "docker"
    plugin = "docker"
    kinds = {
        "any": ("[A-Z]+", r"."),
        "list": ("GET", VERSION + r"/containers/json"),
        "inspect": ("GET", VERSION + r"/containers/[^/]+/json"),
        "create": ("POST", VERSION + r"/containers/create"),
        "start": ("POST", VERSION + r"/containers/[^/]+/start"),
        "pull": ("POST", VERSION + r"/images/create"),
    }
    known_states = {"starting": "starting", "dead": "dead", "removing": "removing"}

    def missing_part(self):
        if os.geteuid() != 0:
            return "needs root for dockerd"
        return missing_file(DOCKERD, CONTAINERD, "/bin/busybox")

    def make_engine(self):
        return Engine()

    def last_words(self):
        return self.engine.last_words()

    def clean(self):
        if self.last_words():
            self.engine.restart()
        super().clean()

    def image(self, name):
        return f"test/{name}:latest"

    def workloads(self, labels=None):
        found = []
        for item in self.engine.containers(labels):
            try:
                state = self.engine.inspect(item["Id"])["State"]
            except ApiError as error:
                if error.status != 404:
                    raise
                continue
            found.append({"handle": item["Id"], "name": item["Names"][0].lstrip("/") if item["Names"] else "",
                          "labels": item["Labels"], "running": state["Running"], "pid": state["Pid"] or None})
        return found

    def environment(self, handle):
        return self.engine.environment(handle)

    def outside(self, name, labels=None, script="busy", tty=False, start=True, environment=None):
        made = self.engine.api("POST", "/containers/create", {
            "Image": self.image(script), "Labels": labels or {}, "Tty": tty,
            "Env": [f"{key}={value}" for key, value in (environment or {}).items()],
            "HostConfig": {"NetworkMode": "none", "Init": True}}, {"name": name})["Id"]
        if start:
            self.engine.start_container(made)
        return made

    def pretended(self, body):
        answer = json.loads(body)
        for item in answer if isinstance(answer, list) else [answer]:
            state, inspected = self.states.get(item["Id"]), isinstance(item["State"], dict)
            if state == "starting" and inspected:
                item["State"]["Health"] = {"Status": "starting", "FailingStreak": 0, "Log": []}
            elif state == "starting":
                item["Status"] = "Up 2 seconds (health: starting)"
            elif state and inspected:
                item["State"].update(Status=state, Running=False, Pid=0, Dead=state == "dead")
            elif state:
                item["State"] = state
        return json.dumps(answer).encode()
