"""What the cases share: an engine, a registry, the plugin in its driver, and a front between the two.

    @case
    def stop_is_polite_then_hard(w): ...        w: the World, emptied after each case
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib.engine import Engine  # noqa: E402  (the path comes first)
from lib.registry import Registry  # noqa: E402
from lib.tcpfront import Front  # noqa: E402
from driver import Driver  # noqa: E402

MANAGER = "0d5c7f0e-4a52-4a1c-9d0e-3f5b8f5c7a11"
PASSWORD = "pw>>>???~~~"  # its base64 needs the digits in which the two alphabets differ
VERSION = re.compile(r"^/v1\.[0-9]+(?=/)")
CASES = []
IMAGES = {}  # {name: script}: what a file of cases needs besides the usual ones

def case(function):
    CASES.append(function)
    return function


class World:
    def __init__(self):
        self.parts = []
        self.problems = []
        try:
            self.begin()
        except BaseException:
            self.close()
            raise

    def keep(self, part, close):
        self.parts.append(close)
        return part

    def begin(self):
        engine = Engine()
        self.engine = self.keep(engine, engine.stop).start()
        self.engine.make_images()
        for name, script in IMAGES.items():
            self.engine.make_image(name, command=["/bin/sh", "-c", script])
        registry = Registry("jo", PASSWORD)
        self.registry = self.keep(registry, registry.stop).start()
        front = Front(self.engine.home + "/front.sock", self.engine.socket)
        self.front = self.keep(front, front.close)
        driver = Driver("docker")
        self.driver = self.keep(driver, driver.close)
        self.driver.must("open", settings=self.settings())

    def settings(self):
        return {"socket": "unix://" + self.front.address, "network_mode": "none"}

    def clean(self):
        self.front.on_request = None
        self.front.limit = None
        self.front.cut()
        self.registry.front.on_request = None
        self.registry.front.flow()
        self.engine.remove_all()
        self.front.requests.clear()

    def close(self):
        for close in reversed(self.parts):
            try:
                close()
            except Exception as error:
                self.problems.append(f"while ending: {error}")

    def requests(self):
        """What was asked of the engine since the last look, without the version."""
        seen = [(method, VERSION.sub("", path).split("?")[0]) for method, path in self.front.requests]
        self.front.requests.clear()
        return seen


def spec(name="c1", image="test/busy:latest", **more):
    labels = {"opencti-manager": MANAGER, "opencti-connector-id": more.get("id", name),
              "opencti-platform": "opencti", "gantry.hash": more.get("hash", "h1")}
    return {"id": name, "name": name, "image": image, "labels": labels,
            "settings": {"network_mode": "none", "init": True}, **more}


def with_settings(**settings):
    return {"network_mode": "none", **settings}


def login(w, password=PASSWORD):
    return {"host": w.registry.host, "username": "jo", "password": password}


def push(w, repository, extra_bytes=0, tag="1"):
    local = w.engine.make_image("test/push", command=["/bin/sleep", "1000"], extra_bytes=extra_bytes)
    w.engine.push(local, w.registry.reference("test/" + repository, tag), "jo", PASSWORD)
    w.engine.remove_image(local)
    return w.registry.reference("test/" + repository, tag)
