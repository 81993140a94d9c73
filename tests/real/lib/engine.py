"""A Docker Engine of the tests' own: Debian's dockerd on its own socket and folders, and its API.

containerd is started beside it, as an init system does, and not by dockerd: so it outlives a dockerd that is
killed, and containers do too where live-restore is on.
"""

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

from . import image as images
from .wait import eventually

DOCKERD = "/usr/sbin/dockerd"
CONTAINERD = "/usr/bin/containerd"
CONTAINERD_CONFIG = """version = 2
root = "{home}/containerd/root"
state = "{home}/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "{home}/c.sock"
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("docker", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class ApiError(Exception):
    def __init__(self, status, message):
        super().__init__(f"engine answered {status}: {message}")
        self.status = status


class Engine:
    def __init__(self, live_restore=True):
        # Below /tmp whatever TMPDIR says: the path of a unix socket has at most 107 bytes.
        self.home = tempfile.mkdtemp(prefix="gtd.", dir="/tmp")
        self.socket = self.home + "/docker.sock"
        self.url = "unix://" + self.socket
        self.live_restore = live_restore
        self.process = None
        self.containerd = None

    # ----- the daemons

    def start_containerd(self):
        config = self.home + "/containerd.toml"
        with open(config, "w", encoding="ascii") as file:
            file.write(CONTAINERD_CONFIG.format(home=self.home))
        with open(self.home + "/containerd.log", "ab") as log:
            self.containerd = subprocess.Popen([CONTAINERD, "--config", config], stdin=subprocess.DEVNULL,
                                               stdout=log, stderr=log, start_new_session=True)
        eventually(lambda: os.path.exists(self.home + "/c.sock"), 30, "containerd listens")

    def start(self, timeout=60):
        if self.containerd is None:
            ensure_cgroups()
            self.start_containerd()
        log = open(self.home + "/log", "ab")
        config = self.home + "/daemon.json"
        with open(config, "w", encoding="ascii") as file:
            json.dump({"live-restore": self.live_restore}, file)
        self.process = subprocess.Popen(
            [DOCKERD, "--config-file", config, "--data-root", self.home + "/data",
             "--exec-root", self.home + "/exec", "--containerd", self.home + "/c.sock", "-H", self.url, "--pidfile", self.home + "/pid",
             "--bridge=none", "--iptables=false", "--ip6tables=false"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()

        def answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"dockerd ended with {self.process.returncode}:\n{self.log_tail()}")
            return self.ping()
        eventually(answers, timeout, "dockerd answers")
        return self

    def last_words(self):
        """"" while it runs; else how dockerd, which nobody told to, ended."""
        code = self.process.poll()
        return "" if code is None else f"dockerd ended by itself with {code}:\n{self.log_tail(40)}"

    def ping(self):
        try:
            return self.raw("GET", "/_ping", timeout=2)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self):
        """SIGKILL to dockerd alone; containerd and the containers' shims live on."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        try:
            os.unlink(self.home + "/pid")
        except FileNotFoundError:
            pass

    def restart(self, live_restore=None):
        if self.process.poll() is None:
            self.kill()
        if live_restore is not None:
            self.live_restore = live_restore
        return self.start()

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
            except (OSError, ApiError, http.client.HTTPException):
                pass
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.containerd:
            self.containerd.terminate()
            self.containerd.wait()
        for pid in processes_below(self.home):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for _ in range(20):
            if not unmount_below(self.home):
                break
            time.sleep(0.1)
        shutil.rmtree(self.home, ignore_errors=True)

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
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        status, data = self.raw(method, path, body, headers, timeout)
        if status >= 400:
            raise ApiError(status, data.decode(errors="replace").strip())
        if not data:
            return None
        text = data.decode()
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        return lines[0] if len(lines) == 1 else lines

    def stream(self, *args, **kwargs):
        """A call that answers a stream of progress, in which an error can stand."""
        lines = self.api(*args, **kwargs) or []
        for line in lines if isinstance(lines, list) else [lines]:
            if "error" in line:
                raise ApiError(200, line["error"])

    # ----- images

    def make_image(self, name="test/busy", tag="latest", command=None, extra_bytes=0, user=None):
        command = command or images.COMMANDS[name]
        self.stream("POST", "/images/create", images.tree(extra_bytes),
                    {"fromSrc": "-", "repo": name, "tag": tag, "changes": images.changes_for(command, user)},
                    {"Content-Type": "application/x-tar"}, timeout=120)
        return f"{name}:{tag}"

    def make_images(self):
        for name in images.COMMANDS:
            self.make_image(name)

    def has_image(self, reference):
        try:
            self.api("GET", f"/images/{reference}/json")
            return True
        except ApiError as error:
            if error.status == 404:
                return False
            raise

    def remove_image(self, reference):
        try:
            self.api("DELETE", f"/images/{reference}", query={"force": 1})
        except ApiError as error:
            if error.status != 404:
                raise

    def push(self, local, remote, user=None, password=None):
        repository, tag = remote.rsplit(":", 1)
        self.api("POST", f"/images/{local}/tag", query={"repo": repository, "tag": tag})
        auth = {"username": user, "password": password, "serveraddress": repository.split("/")[0]} if user else {}
        header = base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()
        self.stream("POST", f"/images/{repository}/push", query={"tag": tag},
                    headers={"X-Registry-Auth": header}, timeout=120)
        self.remove_image(remote)

    # ----- containers

    def containers(self, labels=None, everything=True):
        filters = {"label": [f"{key}={value}" for key, value in (labels or {}).items()]}
        found = self.api("GET", "/containers/json", query={"all": int(everything), "filters": json.dumps(filters)})
        return found if isinstance(found, list) else [found]

    def of_connector(self, connector_id):
        return self.containers({"opencti-connector-id": connector_id})

    def inspect(self, container):
        return self.api("GET", f"/containers/{container}/json")

    def create(self, name, image, labels=None, env=None, command=None, start=True, **host):
        body = {"Image": image, "Labels": labels or {}, "Env": env or [], "HostConfig": host}
        if command:
            body["Cmd"] = command
        made = self.api("POST", "/containers/create", body, {"name": name})["Id"]
        if start:
            self.api("POST", f"/containers/{made}/start")
        return made

    def start_container(self, container):
        self.api("POST", f"/containers/{container}/start")

    def kill_container(self, container):
        self.api("POST", f"/containers/{container}/kill")

    def remove(self, container):
        try:
            self.api("DELETE", f"/containers/{container}", query={"force": 1, "v": 1})
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def remove_all(self):
        def gone():
            for container in self.containers():
                self.remove(container["Id"])
            return not self.containers()
        eventually(gone, 60, "all containers removed", pause=0.3)

    def environment(self, container):
        """The environment as the container's first process was given it: bytes by name, duplicates refused."""
        pid = self.inspect(container)["State"]["Pid"]
        with open(f"/proc/{pid}/environ", "rb") as file:
            raw = file.read()
        found = {}
        for item in raw.split(b"\0"):
            if item:
                name, _, value = item.partition(b"=")
                assert name not in found, f"variable {name!r} twice"
                found[name.decode()] = value
        return found


def ensure_cgroups():
    """Where nothing has mounted cgroups yet (no init system), do as systemd would."""
    with open("/proc/mounts", encoding="utf-8") as file:
        if any(line.split()[2] in ("cgroup", "cgroup2") for line in file):
            return
    subprocess.run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"], check=True)


def processes_below(home):
    """Processes of this engine: their command line names its folder."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if home.encode() + b"/" in file.read():
                        yield int(name)
            except OSError:
                continue


def unmount_below(home):
    with open("/proc/mounts", encoding="utf-8") as file:
        points = [line.split()[1] for line in file if line.split()[1].startswith(home + "/")]
    for point in reversed(points):
        subprocess.run(["umount", "-l", point], check=False, capture_output=True)
    return points
