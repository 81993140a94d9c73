"""Podman's columns, root's and a user's: Debian's Podman on a socket of its own, with the fault front before it."""

import json

from backend import Absent
from engine_column import EngineColumn
from lib.engine import ApiError
from lib.podman import Podman, missing_part

API = r"^(/v[0-9.]+/libpod)"


class PodmanOfRoot(EngineColumn):
    name = "podman"
    plugin = "podman"
    rootless = False
    kinds = {
        "any": ("[A-Z]+", r"."),
        "list": ("GET", API + r"/containers/json"),
        "inspect": ("GET", API + r"/containers/[^/]+/json"),
        "create": ("POST", API + r"/containers/create"),
        "start": ("POST", API + r"/containers/[^/]+/start"),
        "pull": ("POST", API + r"/images/pull"),
    }
    known_states = {"starting": "initialized", "stopping": "stopping", "removing": "removing"}
    opt_out = {
        "crash_is_restarted_by_the_engine_until_it_is_told_to_stop":
            "Podman restarts without a pause, so Gantry does it (restart = no); tests/real/cases/podman.py has the rest",
        "want_of_memory_is_told": "Podman 4.3 with runc on cgroup v1 does not tell it: OOMKilled stays false",
    }

    def missing_part(self):
        return missing_part(self.rootless)

    def make_engine(self):
        return Podman(self.rootless)

    def settings(self):
        return {**super().settings(), "insecure_registries": [self._registry.host]}

    def image(self, name):
        return f"localhost/test/{name}:latest"

    def workloads(self, labels=None):
        found = []
        for item in self.engine.containers(labels):
            running = item["State"] in ("running", "paused")  # one that has just ended may still show a pid
            found.append({"handle": item["Id"], "name": item["Names"][0], "labels": item["Labels"] or {},
                          "running": running, "pid": item["Pid"] or None if running else None})
        return found

    def outside(self, name, labels=None, script="busy", tty=False, start=True, environment=None):
        return self.engine.create(name, self.image(script), labels, environment, start=start, terminal=tty)

    def pretended(self, body):
        answer = json.loads(body)
        for item in answer if isinstance(answer, list) else [answer]:
            state = self.states.get(item["Id"])
            if state and isinstance(item["State"], str):
                item["State"] = state
            elif state:
                item["State"].update(Status=state, Running=False, Pid=0)
        return json.dumps(answer).encode()


class PodmanOfUser(PodmanOfRoot):
    name = "podman-rootless"
    rootless = True
    opt_out = {
        **PodmanOfRoot.opt_out,
        "hardened_workload_has_a_read_only_root_and_no_capability":
            "the host's root has no number in a user's containers, so the probe cannot write; see tests/real/cases/podman.py",
    }

    def pause(self, handle):
        try:
            super().pause(handle)
        except ApiError as error:
            raise Absent("a user's Podman cannot pause where cgroups are not his") from error
