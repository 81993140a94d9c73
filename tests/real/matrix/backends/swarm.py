"""Swarm's column: docker's, with a swarm of one node, and services for workloads."""

import json
import os
import re
import signal

from backend import Absent, Backend
from backends.docker import VERSION, Docker
from lib.swarm import NOWHERE, SwarmEngine, pid_of
from lib.tcpfront import Front


class Swarm(Docker):
    name = "swarm"
    plugin = "swarm"
    replaces_in_place = True
    kinds = {
        "any": ("[A-Z]+", r"."),
        "list": ("GET", VERSION + r"/services\?"),
        "inspect": ("GET", VERSION + r"/services/"),
        "create": ("POST", VERSION + r"/services/(create|[^/]+/update)"),  # a new one, or what takes an old one's place
        "start": ("POST", VERSION + r"/services/[^/]+/update"),
        "pull": ("GET", VERSION + r"/distribution/"),
    }
    known_states = {"starting": "starting", "stopping": "stopping"}
    opt_out = {
        "environment_of_a_mebibyte_arrives": "it could be made and never be stopped: a change holds the old and the new, 1.5 MiB at the most",
        "error_inside_a_pull_that_was_answered_200": "nodes pull, and not the plugin",
        "replace_cancelled_during_the_pull_changes_nothing": "nodes pull, and not the plugin",
        "hardened_workload_gains_no_privileges": "engines before API 1.46 cannot forbid that to a service",
    }

    def make_engine(self):
        return SwarmEngine()

    def image(self, name):
        return f"{NOWHERE}test/{name}:latest"

    def connector_settings(self):
        return {"restart_delay": "500ms"}

    # ----- the truth

    def workloads(self, labels=None):
        wanted = [f"{key}={value}" for key, value in (labels or {}).items()]
        services = self.engine.ask("/services", label=wanted)
        running = {task["ServiceID"]: pid_of(task) for task in self.engine.ask("/tasks", label=wanted) if pid_of(task)}
        return [{"handle": item["ID"], "name": item["Spec"]["Name"], "labels": item["Spec"].get("Labels") or {},
                 "running": item["ID"] in running, "pid": running.get(item["ID"])} for item in services]

    environment = Backend.environment

    def kill(self, handle):
        os.kill(self.engine.running_pid(handle), signal.SIGKILL)

    def remove(self, handle):
        self.engine.remove_service(handle)

    def pause(self, handle):
        raise Absent("a swarm cannot pause a service")

    def outside(self, name, labels=None, script="busy", tty=False, start=True, environment=None):
        environment = [f"{key}={value}" for key, value in (environment or {}).items()]
        return self.engine.make_service(name, self.image(script), labels, environment, int(start), tty)

    # ----- faults

    def tells_states(self, path):
        return re.search(VERSION + r"/(services|tasks)(\?|/[^/]+$)", path)

    def pretended(self, body):
        answer = json.loads(body)
        for item in answer if isinstance(answer, list) else [answer]:
            state = self.states.get(item.get("ServiceID") or item["ID"])
            if state == "stopping" and "Mode" in item["Spec"]:
                item["Spec"]["Mode"]["Replicated"]["Replicas"] = 0
            elif state == "starting" and "ServiceID" in item and item["Status"]["State"] == "running":
                item["Status"]["State"] = "starting"
        return json.dumps(answer).encode()

    # dockerd ends the tasks of its node when it is started again, so here the way to it is what breaks.

    def down(self):
        self.front.close()

    def up(self):
        if not self.front.open:
            self.front = Front(self.front.address, self.engine.socket, self.strike)
