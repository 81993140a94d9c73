"""Portainer's column: docker's, with nginx before it that behaves as Portainer does; see lib/portainer.py.

Faults are those of the engine behind it, and reach the plugin as nginx passes them on.
"""

import os

from backend import Missing
from backends import docker
from lib.portainer import NEEDED, Portainer
from lib.process import free_port


class Column(docker.Docker):
    name = "portainer"
    plugin = "portainer"

    def __init__(self):
        super().__init__()
        self.portainer = None

    def start(self):
        for path, package in NEEDED.items():
            if not os.path.exists(path):
                raise Missing(f"{path} is missing: run tests/real/setup.sh (package {package})")
        super().start()
        self.portainer = Portainer(self.front.address)
        self.portainer.start()

    def stop(self):
        if self.portainer:
            self.portainer.stop()
        super().stop()

    def settings(self):
        return self.portainer.settings()

    def away(self):
        return {"url": f"https://localhost:{free_port()}"}

    def refused(self):
        return {"api_key": "ptr_of_nobody"}
