"""Debian's docker-registry on loopback, behind a front that can stall or break a download."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from . import process
from .tcpfront import Front
from .wait import eventually

PROGRAM = "/usr/bin/docker-registry"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    def __init__(self, user=None, password=None):
        self.user, self.password = user, password
        self.home = tempfile.mkdtemp(prefix="gtr.", dir="/tmp")
        self.port = process.free_port()
        self.process = None
        self.front = None

    def start(self):
        # Hosts are given to registries and images by the front's address: nobody talks past it.
        self.front = Front(("127.0.0.1", 0), ("127.0.0.1", self.port))
        self.host = f"127.0.0.1:{self.front.address[1]}"
        config = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": self.home + "/data"}, "delete": {"enabled": True},
                        "cache": {}},
            "http": {"addr": f"127.0.0.1:{self.port}"},
        }
        if self.user:
            made = subprocess.run(["htpasswd", "-Bbn", self.user, self.password], check=True, capture_output=True)
            with open(self.home + "/htpasswd", "wb") as file:
                file.write(made.stdout)
            config["auth"] = {"htpasswd": {"realm": "test", "path": self.home + "/htpasswd"}}
        path = self.home + "/config.yml"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)  # JSON is YAML
        with open(self.home + "/log", "ab") as log:
            self.process = process.spawn([PROGRAM, "serve", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self.answers, 20, "the registry answers")
        return self

    def answers(self):
        if self.process.poll() is not None:
            with open(self.home + "/log", encoding="utf-8", errors="replace") as file:
                raise RuntimeError("docker-registry ended:\n" + file.read())
        try:
            self.call("GET", "/v2/")
            return True
        except OSError:
            return False

    def call(self, method, path, accept=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        if accept:
            request.add_header("Accept", accept)
        if self.user:
            manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            manager.add_password(None, request.full_url, self.user, self.password)
            opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager),
                                                 urllib.request.ProxyHandler({}))
        else:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(request, timeout=10)

    def reference(self, repository="test/busy", tag="1"):
        return f"{self.host}/{repository}:{tag}"

    def put(self, engine, repository="test/busy", tag="1", command=None, extra_bytes=4096):
        """Make an image with a layer of its own, push it, and forget it locally."""
        scratch = engine.make_image("scratch/" + repository, tag, command or
                                    engine_command(repository), extra_bytes)
        reference = self.reference(repository, tag)
        engine.push(scratch, reference, self.user, self.password)
        engine.remove_image(scratch)
        return reference

    def drop(self, repository, tag):
        """Take a tag away, as a registry's clean-up does."""
        answer = self.call("HEAD", f"/v2/{repository}/manifests/{tag}", MANIFEST)
        digest = answer.headers["Docker-Content-Digest"]
        self.call("DELETE", f"/v2/{repository}/manifests/{digest}")

    def spoil_layers(self):
        """Change bytes in every stored layer, so that its digest is wrong; returns what mends them."""
        blobs = self.home + "/data/docker/registry/v2/blobs/sha256"
        spoilt = []
        for folder, _, files in os.walk(blobs):
            for path in (os.path.join(folder, name) for name in files):
                if os.path.getsize(path) > 100000:
                    with open(path, "r+b") as file:
                        file.seek(50000)
                        spoilt.append((path, file.read(6)))
                        file.seek(50000)
                        file.write(b"spoilt")

        def mend():
            for path, right in spoilt:
                with open(path, "r+b") as file:
                    file.seek(50000)
                    file.write(right)
        return mend

    def stop(self):
        if self.front:
            self.front.close()
        process.end(self.process)
        shutil.rmtree(self.home, ignore_errors=True)


def engine_command(repository):
    from .image import COMMANDS
    return COMMANDS.get(repository, COMMANDS["test/busy"])
