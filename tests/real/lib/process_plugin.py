"""The process plugin on a folder of its own, and what the host says of processes."""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "plugin"), os.path.join(HERE, "..", "matrix")]

from backends.process import read_record, start_ticks, write_record  # noqa: E402
from driver import Driver  # noqa: E402

BUSY = "trap 'exit 0' TERM; i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2 & wait $!; done"
LABELS = {"opencti-manager": "m", "opencti-connector-id": "c1", "gantry.hash": "h1"}


class Plugin:
    """The plugin on a folder of its own."""

    def __init__(self, world, scripts=None, **settings):
        self.home = tempfile.mkdtemp(prefix="gtx.", dir="/tmp")
        os.chmod(self.home, 0o711)
        self.images = []
        world.closing.append(self.close)
        for name, script in {"busy": BUSY, **(scripts or {})}.items():
            with open(f"{self.home}/{name}.sh", "w", encoding="utf-8") as file:
                file.write(script)
            os.chmod(f"{self.home}/{name}.sh", 0o755)
            self.images.append(f"test/{name}=/bin/sh {self.home}/{name}.sh")
        self.settings = {"folder": self.home + "/folder", "images": self.images, **settings}
        self.driver = Driver("process", self.settings)

    def start(self, image="busy", name="c1", once=False, labels=None, **more):
        image = image if "/" in image else f"test/{image}:1"
        return self.driver.start(spec={"image": image, "name": name, "labels": labels or LABELS, **more}, once=once)["handle"]

    def path(self, handle, file=""):
        return f"{self.home}/folder/workloads/{handle}/{file}"

    def state(self, handle):
        return {key: values[0] for key, values in read_record(self.path(handle, "state")).items()}

    def pid(self, handle, who="child"):
        return int(self.state(handle)[who + "_pid"])

    def change_state(self, handle, **values):
        write_record(self.path(handle, "state"), {**self.state(handle), **values}.items())

    def texts(self, handle, **more):
        return [line["text"] for line in self.driver.must("logs", handle=handle, **more)["lines"]]

    def is_in(self, handle, *states):
        seen = self.driver.inspect(handle)
        assert seen["state"] in states, seen
        return seen

    def close(self):
        listed = self.driver.call("list", labels={})["statuses"]
        for item in listed:
            self.driver.call("remove", handle=item["handle"])
        self.driver.close()
        shutil.rmtree(self.home, ignore_errors=True)


def ended(pid):
    return start_ticks(pid) is None


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def foreign_process(world):
    process = subprocess.Popen(["sleep", "1000"])
    world.closing.append(lambda: (process.kill(), process.wait()))
    return process
