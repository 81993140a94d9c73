"""gantryd under test: its settings file, its process, its log."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

from . import process
from .platform import TOKEN
from .wait import eventually

_keys = {}


def build_folder():
    default = os.path.join(os.path.dirname(__file__), "..", "..", "..", "build", "debug")
    return os.path.abspath(os.environ.get("GANTRY_BUILD", default))


def program(name="gantryd"):
    return os.path.join(build_folder(), "bin", name)


def rsa_key(bits=3072):
    """(private PEM, public PEM), made once a run: making them is slow."""
    if bits not in _keys:
        private = subprocess.run(["openssl", "genrsa", str(bits)], check=True, capture_output=True).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout"], check=True, capture_output=True, input=private).stdout
        _keys[bits] = private.decode(), public.decode()
    return _keys[bits]


class Gantryd:
    """sections: {"manager": {"interval": "1s"}, ...} is laid over the defaults below; a key with the value None
    is left out."""

    def __init__(self, engine=None, platform_url=None, sections=None, manager_id=None, home=None, kind="opencti"):
        self.own_home = home is None
        self.home = home or tempfile.mkdtemp(prefix="gtg.", dir="/tmp")
        self.manager_id = manager_id or str(uuid.uuid4())
        self.config = self.home + "/gantry.ini"
        self.log_path = self.home + "/log"
        self.process = None
        self.environment = {}  # beyond the usual one
        private, self.public_key = rsa_key()
        self.write("key.pem", private)
        self.write("token", TOKEN + "\n")
        self.sections = {
            "manager": {"id": self.manager_id, "key": f"file:{self.home}/key.pem", "interval": "1s",
                        "ping_interval": "2s", "state_dir": self.home + "/state"},
            "log": {"level": "debug", "format": "json"},
        }
        if kind == "opencti":
            self.sections["platform opencti"] = {
                "url": platform_url, "token": f"file:{self.home}/token", "logs_interval": "1s",
                "health_interval": "1s", "list_timeout": "10s", "request_timeout": "5s", "connect_timeout": "2s"}
        else:
            self.sections["platform local"] = {"path": self.home + "/connectors"}
            os.makedirs(self.home + "/connectors", exist_ok=True)
        if engine is not None:  # else the sections say what the backend is
            self.sections["backend docker"] = {"socket": getattr(engine, "url", engine)}
        for section, keys in (sections or {}).items():
            self.sections.setdefault(section, {}).update(keys)
        self.write_config()

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        return path

    def write_config(self):
        text = ""
        for section, keys in self.sections.items():
            text += f"[{section}]\n" + "".join(line_of(key, value) for key, value in keys.items()) + "\n"
        self.write("gantry.ini", text)

    # ----- a daemon that stays

    def start(self, *arguments):
        with open(self.log_path, "ab") as log:
            self.process = process.spawn([program(), "--config", self.config, *arguments],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         env=environment() | self.environment)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self, sig=signal.SIGTERM, within=5.0):
        """Ask it to end; the exit status and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(sig)
        try:
            code = self.process.wait(within + 5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still alive {within + 5:g} s after signal {sig}") from None
        took = time.monotonic() - began
        assert took <= within, f"took {took:.1f} s to end"
        return code, took

    # ----- one run that ends by itself

    def run(self, *arguments, timeout=60, config=True):
        """The finished process; its output also goes to the log."""
        command = [program(), *(["--config", self.config] if config else []), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, timeout=timeout, env=environment(),
                                  stdin=subprocess.DEVNULL, text=True, errors="replace")
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"{' '.join(command)} still runs after {timeout} s\n{late.stderr!r}") from None
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        return done

    # ----- its log

    def text(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def lines(self, level=None, since=0):
        """Log lines as dicts; since: skip that many."""
        found = []
        for line in self.text().splitlines():
            try:
                item = json.loads(line)
            except ValueError:
                continue
            if isinstance(item, dict) and (level is None or item.get("level") in level):
                found.append(item)
        return found[since:]

    def complaints(self, since=0):
        return self.lines(("warn", "error"), since)

    def tail(self, count=30):
        """The last lines that say something: every call of a plugin is too much."""
        lines = [line for line in self.text().splitlines() if '"level":"debug"' not in line or '"decided"' in line]
        return "\n".join(line[:600] for line in lines[-count:])

    def waits_for(self, text, timeout=10):
        eventually(lambda: text in self.text(), timeout, f"log says {text!r}")

    def clean(self):
        if self.running():
            self.kill()
        if self.own_home:
            shutil.rmtree(self.home, ignore_errors=True)


def line_of(key, value):
    """As the settings file has it; None: not at all, a list: a line for each."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "".join(line_of(key, item) for item in value)
    return f"{key} = {('no', 'yes')[value] if isinstance(value, bool) else value}\n"


def environment():
    """Without what would change the program's settings or its way to loopback."""
    keep = {k: v for k, v in os.environ.items()
            if not k.startswith(("GANTRY", "MANAGER__", "OPENCTI__", "OPENAEV__", "DOCKER_", "XDG_"))
            and not k.lower().endswith("_proxy")}
    keep["HOME"] = "/nonexistent"
    return keep
