"""A swarm of one node: an engine of the tests' own that is its manager.

dockerd here has no bridge, so a service that names no network has none.
"""

import json

from .engine import ApiError, Engine
from .wait import eventually

# A node asks the registry for each tag that it is told; this one refuses at once, and what is there is used.
NOWHERE = "127.0.0.1:1/"


class SwarmEngine(Engine):
    def __init__(self):
        super().__init__(live_restore=False)  # which a node of a swarm cannot have

    def start(self, timeout=60):
        super().start(timeout)
        if self.api("GET", "/info")["Swarm"]["LocalNodeState"] == "inactive":
            self.api("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:0", "AdvertiseAddr": "127.0.0.1"})
        return self

    def make_image(self, name="test/busy", tag="latest", command=None, extra_bytes=0, user=None):
        """Also as NOWHERE/name."""
        made = super().make_image(name, tag, command, extra_bytes, user)
        if not name.startswith("scratch/"):
            self.api("POST", f"/images/{made}/tag", query={"repo": NOWHERE + name, "tag": tag})
        return made

    def ask(self, path, **filters):
        found = self.api("GET", path, query={"filters": json.dumps(filters)})
        return found if isinstance(found, list) else [found] if found else []

    def service(self, service):
        return self.api("GET", "/services/" + service)

    def tasks(self, service):
        """Oldest first."""
        return sorted(self.ask("/tasks", service=[service]), key=lambda task: task["CreatedAt"])

    def running_pid(self, service):
        for task in self.tasks(service):
            pid = pid_of(task)
            if pid:
                return pid
        return None

    def make_service(self, name, image, labels=None, env=None, replicas=1, tty=False):
        spec = {
            "Name": name, "Labels": labels or {}, "Mode": {"Replicated": {"Replicas": replicas}},
            "TaskTemplate": {"ContainerSpec": {"Image": image, "TTY": tty, "Init": True, "Env": env or []},
                             "RestartPolicy": {"Condition": "none"}}}
        made = self.api("POST", "/services/create", spec)["ID"]

        def begun():
            try:
                tasks = self.tasks(made)
                return (any(task["Status"]["State"] in ("running", "complete", "failed") for task in tasks)
                        or self.service(made)["Spec"]["Mode"]["Replicated"]["Replicas"] == 0)  # somebody was faster
            except ApiError as error:
                return error.status == 404  # somebody has removed it already
        if replicas:
            eventually(begun, 60, "its task has begun, or is not wanted any more")
        return made

    def remove_service(self, service):
        """At once, by force; but for tasks that are being taken away: dockerd may end with a null pointer then."""
        eventually(lambda: all(task["DesiredState"] != "remove" for task in self.tasks(service)), 10, "its tasks are taken away")
        try:
            self.api("DELETE", "/services/" + service)
        except ApiError as error:
            if error.status != 404:
                raise
        for container in self.containers({"com.docker.swarm.service.id": service}):
            try:
                self.kill_container(container["Id"])
            except ApiError as error:
                if error.status not in (404, 409):
                    raise

    def remove_all(self):
        def gone():
            for service in self.ask("/services"):
                self.remove_service(service["ID"])
            if self.ask("/tasks"):
                return False
            # The engine sometimes forgets a container that could not start: nobody else removes it then.
            for container in self.containers():
                self.remove(container["Id"])
            return not self.containers()
        eventually(gone, 60, "all services and containers are gone", pause=0.3)
        for secret in self.ask("/secrets"):
            self.api("DELETE", "/secrets/" + secret["ID"])


def pid_of(task):
    """Of its container's main process on this host, if it runs."""
    pid = (task["Status"].get("ContainerStatus") or {}).get("PID")
    if task["Status"]["State"] != "running" or not pid:
        return None
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return pid if file.read().rsplit(")", 1)[1].split()[0] not in "ZX" else None
    except OSError:
        return None
