"""Podman of the tests' own: its service on a socket and folders of its own, as root or as a user made for it.

Nothing of the machine's Podman is touched: storage, runtime folders and configuration are below one folder.  The
service is one process; containers outlive it, each with a monitor of its own.
"""

import base64
import http.client
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

from . import image as images
from .engine import ApiError, UnixConnection, ensure_cgroups, processes_below, unmount_below
from .wait import eventually

PROGRAM = "/usr/bin/podman"
PARTS = {PROGRAM: "podman", "/usr/bin/conmon": "conmon", "/usr/sbin/runc": "runc", "/usr/bin/catatonit": "catatonit",
         "/bin/busybox": "busybox-static"}
USER_PARTS = {"/usr/bin/newuidmap": "uidmap", "/usr/sbin/useradd": "passwd"}
API = "/v4.0.0/libpod"
# Limits that are below what a container's root may set, where the tests themselves run in a container; runc, as
# crun refuses machines that have cgroups of both versions.
CONFIG = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Podman:
    def __init__(self, rootless=False):
        # Below /tmp whatever TMPDIR says: the path of a unix socket has at most 107 bytes.
        self.home = tempfile.mkdtemp(prefix="gtp.", dir="/tmp")
        self.socket = self.home + "/p.sock"
        self.url = "unix://" + self.socket
        self.rootless = rootless
        self.user = None
        self.process = None

    # ----- the service

    def make_user(self):
        """With ranges of ids, as adduser gives them; removed by stop()."""
        self.user = "gantry" + os.path.basename(self.home)[-8:].lower().replace("_", "0").replace(".", "0")
        subprocess.run(["useradd", "--no-create-home", "--home-dir", self.home, "--shell", "/usr/sbin/nologin", self.user],
                       check=True, capture_output=True)
        os.chmod(self.home, 0o755)
        entry = pwd.getpwnam(self.user)
        for name in ("session", "root", "run", "tmp"):
            os.makedirs(f"{self.home}/{name}", mode=0o700)
        for path in [self.home] + [f"{self.home}/{name}" for name in os.listdir(self.home)]:
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def start(self, timeout=60):
        ensure_cgroups()
        options, environment = {}, {"PATH": os.environ["PATH"], "HOME": "/root", "CONTAINERS_CONF": self.home + "/containers.conf"}
        if self.rootless:
            if self.user is None:
                self.make_user()
            entry = pwd.getpwnam(self.user)
            options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            environment.update(HOME=self.home, XDG_RUNTIME_DIR=self.home + "/session", USER=self.user)
        with open(self.home + "/containers.conf", "w", encoding="ascii") as file:
            file.write(CONFIG)
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        with open(self.home + "/log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "--root", self.home + "/root", "--runroot", self.home + "/run", "--tmpdir", self.home + "/tmp",
                 "system", "service", "--time=0", self.url],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.home, start_new_session=True, **options)

        def answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"podman ended with {self.process.returncode}:\n{self.log_tail()}")
            return self.ping()
        eventually(answers, timeout, "podman answers")
        return self

    def ping(self):
        try:
            return self.raw("GET", "/_ping", timeout=2)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self):
        """SIGKILL to the service; containers and their monitors live on.  A user's is two processes: the one that was
        started, and its child in the user's name space, which listens."""
        for pid in self.processes_of_service():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        eventually(lambda: not list(self.processes_of_service()), 10, "the service is gone")

    def processes_of_service(self):
        for pid in processes_below(self.home):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if b"\0system\0service\0" in file.read():
                        yield pid
            except OSError:
                continue

    def log_tail(self, lines=20):
        try:
            with open(self.home + "/log", encoding="utf-8", errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except FileNotFoundError:
            return ""

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                self.remove_all()
            except (OSError, ApiError, http.client.HTTPException, AssertionError):
                pass
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in set(processes_below(self.home)) | set(self.processes_of_user()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for _ in range(20):
            if not unmount_below(self.home):
                break
            time.sleep(0.1)
        shutil.rmtree(self.home, ignore_errors=True)
        if self.user:
            subprocess.run(["userdel", "--force", self.user], check=False, capture_output=True)

    def processes_of_user(self):
        """Podman keeps one that holds the user's name space."""
        if not self.user:
            return
        uid = pwd.getpwnam(self.user).pw_uid
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and os.stat("/proc/" + name).st_uid == uid:
                    yield int(name)
            except OSError:
                continue

    # ----- the API

    def raw(self, method, path, body=None, headers=None, timeout=60):
        connection = UnixConnection(self.socket, timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def api(self, method, path, body=None, query=None, headers=None, timeout=60):
        """One call of libpod's; a stream gives the list of its lines, and an error in it is one here."""
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        status, data = self.raw(method, API + path, body, headers, timeout)
        if status >= 400:
            raise ApiError(status, data.decode(errors="replace").strip())
        lines = [json.loads(line) for line in data.decode().splitlines() if line.strip()]
        for line in lines:
            if isinstance(line, dict) and line.get("error"):
                raise ApiError(status, line["error"])
        return lines[0] if len(lines) == 1 else lines or None

    # ----- images

    def make_image(self, name="test/busy", tag="latest", command=None, extra_bytes=0, user=None):
        changes = images.changes_for(command or images.COMMANDS[name], user)
        reference = f"localhost/{name}:{tag}"
        self.api("POST", "/images/import", images.tree(extra_bytes), {"reference": reference, "changes": changes},
                 {"Content-Type": "application/x-tar"}, timeout=120)
        return reference

    def make_images(self):
        for name in images.COMMANDS:
            self.make_image(name)

    def has_image(self, reference):
        return self.raw("GET", f"{API}/images/{urllib.parse.quote(reference, safe='')}/exists")[0] == 204

    def remove_image(self, reference):
        try:
            self.api("DELETE", f"/images/{urllib.parse.quote(reference, safe='')}", query={"force": "true"})
        except ApiError as error:
            if error.status != 404:
                raise

    def push(self, local, remote, user=None, password=None):
        repository, tag = remote.rsplit(":", 1)
        quoted = urllib.parse.quote(local, safe="")
        self.api("POST", f"/images/{quoted}/tag", query={"repo": repository, "tag": tag})
        auth = {"username": user, "password": password} if user else {}
        header = base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()
        self.api("POST", f"/images/{urllib.parse.quote(remote, safe='')}/push", query={"destination": remote, "tlsVerify": "false"},
                 headers={"X-Registry-Auth": header}, timeout=120)
        self.remove_image(remote)

    # ----- containers

    def containers(self, labels=None):
        filters = {"label": [f"{key}={value}" for key, value in (labels or {}).items()]}
        query = {"all": "true", **({"filters": json.dumps(filters)} if labels else {})}
        return self.api("GET", "/containers/json", query=query) or []

    def inspect(self, container):
        return self.api("GET", f"/containers/{container}/json")

    def create(self, name, image, labels=None, env=None, command=None, start=True, **more):
        body = {"name": name, "image": image, "labels": labels or {}, "env": env or {}, "netns": {"nsmode": "none"},
                "init": True, "stop_timeout": 2, **more}
        if command:
            body["command"] = command
        made = self.api("POST", "/containers/create", body)["Id"]
        if start:
            self.start_container(made)
        return made

    def start_container(self, container):
        self.api("POST", f"/containers/{container}/start")

    def remove(self, container):
        try:
            self.api("DELETE", f"/containers/{container}", query={"force": "true", "timeout": 0, "v": "true"})
        except ApiError as error:
            if error.status != 404:
                raise

    def remove_all(self):
        def gone():
            for container in self.containers():
                try:
                    self.remove(container["Id"])
                except ApiError:
                    pass  # one that starts or ends in this moment; asked again
            return not self.containers()
        eventually(gone, 60, "all containers removed", pause=0.3)


def missing_part(rootless=False):
    """What is not installed, in words; None: nothing."""
    if os.geteuid() != 0:
        return "needs root"
    for path in {**PARTS, **(USER_PARTS if rootless else {})}:
        if not os.path.exists(path):
            return f"{path} is missing: run tests/real/setup.sh"
    return None
