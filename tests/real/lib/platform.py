"""The platform: Apollo Server with an OpenCTI in memory, and the way to steer it."""

import json
import os
import subprocess
import urllib.error
import urllib.request

from . import process

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "platform")
TOKEN = "d434ce02-58f0-4b9c-9d6f-f5a3e4a7b1c2"
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url, body, headers=None, timeout=30):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})
    with _opener.open(request, timeout=timeout) as answer:
        return json.loads(answer.read())


class Platform:
    def __init__(self, sdl="real"):
        self.sdl = sdl
        self.process = None

    def start(self):
        node = next((p for p in ("/usr/bin/node", "/usr/bin/nodejs") if os.path.exists(p)), "node")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("APOLLO_")}
        environment["NODE_ENV"] = "production"
        self.process = process.spawn(
            [node, os.path.join(FOLDER, "server.mjs"), "--sdl", self.sdl, "--token", TOKEN],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=FOLDER)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the platform ({self.sdl}) did not start")
        addresses = json.loads(line)
        self.url, self.control = addresses["url"], addresses["control"]
        return self

    def stop(self):
        process.end(self.process)

    # ----- as a client of the platform

    def graphql(self, query, variables=None, token=TOKEN, url=None):
        return post((url or self.url) + "/graphql", {"query": query, "variables": variables or {}},
                    {"Authorization": "Bearer " + token})

    # ----- steering

    def verb(self, name, /, **body):
        try:
            return post(f"{self.control}/{name}", body)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{name}: " + json.loads(error.read())["error"]) from None

    def reset(self):
        self.verb("reset")

    def state(self):
        return self.verb("state")

    def add(self, name, image="test/busy:latest", configuration=(), requested="starting", **more):
        """configuration: dicts of key, value, and secret, version, other (sealed for a foreign key).
        Returns the connector's id."""
        return self.verb("add", name=name, image=image, configuration=list(configuration),
                         requested=requested, **more)["id"]

    def patch(self, connector, **fields):
        return self.verb("patch", id=connector, **fields)

    def request(self, connector, status):
        self.patch(connector, requested=status)

    def delete(self, connector):
        self.verb("delete", id=connector)

    def hash(self, connector):
        return self.state()["connectors"][connector]["hash"]

    def knows_manager(self, manager_id, public_key, name="Gantry"):
        self.verb("manager", id=manager_id, name=name, public_key=public_key)

    def report(self, connector):
        return self.state()["reports"].get(connector) or {
            "statuses": [], "logs": None, "logs_times": [], "health": None, "health_times": []}

    def status(self, connector):
        return self.state()["connectors"][connector]["current"]

    def logs_text(self, connector):
        return "\n".join(self.report(connector)["logs"] or [])

    def count(self, field):
        return self.state()["requests"].get(field, 0)
