"""The stage: one dockerd, two platforms with the same connector ids, gantryd, a second manager, strangers."""

import subprocess
import time

from lib.engine import ApiError, Engine
from lib.gantryd import Gantryd
from lib.platform import Platform
from lib.wait import eventually

from .eyes import Containers, Deeds, Processes
from .lies import TellingFront
from .told import Told

MARKER = "geheim-"  # begins every secret value
CALM = "trap 'exit 0' TERM; echo up; while :; do sleep 1000 & wait $!; done"
IMAGES = {
    "chaos/calm": ["/bin/sh", "-c", CALM],
    "chaos/deaf": ["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1000; done"],
    "chaos/crash": ["/bin/sh", "-c", "echo about to fail; exit 5"],
    "chaos/brief": ["/bin/sh", "-c", "echo for a while; sleep 17; exit 3"],
}
IMAGE_OF = {"still": "chaos/calm", "plain": "chaos/calm", "deaf": "chaos/deaf", "crash": "chaos/crash", "brief": "chaos/brief",
            "missing": "chaos/missing"}
CAST = {
    "one": ["still", "still", "plain", "plain", "plain", "deaf", "crash", "brief", "missing"],
    "two": ["still", "still", "plain", "plain", "deaf"],
}
RUNS_ON = ("still", "plain", "deaf")  # what runs until somebody stops it


class Member:
    """One connector of one platform, whether it is there at the moment or not."""

    def __init__(self, platform, number, kind):
        self.platform, self.kind = platform, kind
        self.id = f"c4a05000-0000-4000-8000-{number:012d}"  # the same on both platforms
        self.key = (platform, self.id)
        # One name is the same on both platforms, too; the others are not.
        self.name = f"Chaos {kind} {number}" + ("" if number == 2 else f" {platform}")
        self.listed = False
        self.requested = None
        self.worn = 0  # ends that we caused since its hash changed last

    def __str__(self):
        return f"{self.platform}/{self.kind}-{int(self.id[-12:])}"


class Side:
    """One platform, its front, and what it told."""

    def __init__(self, name):
        self.name = name
        self.platform = Platform("real").start()
        self.told = Told()
        self.front = TellingFront(self.platform.url, self.told)


class World:
    def __init__(self, seed, on_double):
        self.seed = seed
        self.engine = Engine(live_restore=True).start()
        for name, command in IMAGES.items():
            self.engine.make_image(name, command=command)
        self.sides = {name: Side(name) for name in CAST}
        self.members = [Member(name, number, kind) for name, kinds in CAST.items() for number, kind in enumerate(kinds)]
        self.deeds = Deeds(self.engine.home + "/front.sock", self.engine)
        self.gantryd = self.make_gantryd()
        self.other = self.make_other()
        self.processes = Processes({side.front.url: name for name, side in self.sides.items()}, on_double)
        self.containers = Containers(self.engine)
        self.engine_lost = False  # was dockerd ever killed?
        self.engine_deaths = []  # times at which the containers died with the engine
        self.excused = set()  # containers that we ended ourselves: (id, when) by id
        self.strangers = []
        self.begun_at = []  # of gantryd

    def make_gantryd(self):
        gantryd = Gantryd("unix://" + self.engine.home + "/front.sock", sections={
            "manager": {"interval": "1s", "ping_interval": "3s", "concurrency": "4"},
            "backend docker": {"stop_timeout": "2s", "pull_policy": "never"}})
        pattern = gantryd.sections.pop("platform opencti")
        for name, side in self.sides.items():
            gantryd.sections[f"platform {name}"] = {
                **pattern, "kind": "opencti", "url": side.front.url, "logs_interval": "5s", "health_interval": "5s",
                "list_timeout": "4s", "request_timeout": "3s"}
        gantryd.write_config()
        return gantryd

    def make_other(self):
        other = Gantryd(self.engine, kind="local", sections={"manager": {"interval": "2s"}, "log": {"level": "info"}})
        for name in ("chaos-plain-4-one", "others-own"):
            other.write(f"connectors/{name}.ini", "[connector]\nimage = chaos/calm:latest\n\n[environment]\nA = 1\n")
        return other

    # ----- beginning and end

    def begin(self):
        self.processes.start()
        self.containers.start()
        for side in self.sides.values():
            side.platform.knows_manager(self.gantryd.manager_id, self.gantryd.public_key)
        self.make_strangers()
        self.other.start()
        for member in self.members:
            self.add(member)
        self.start_gantryd()

    def make_strangers(self):
        ours = self.gantryd.manager_id
        first = self.members[2]
        labels = {"opencti-manager": "somebody-else", "opencti-connector-id": first.id, "opencti-platform": "opencti",
                  "gantry.platform": "one", "gantry.hash": "00000000"}
        for name, its in (("chaos-plain-3-one", {}), ("chaos-plain-3-one-new-0000", labels), ("half-labelled", {"opencti-connector-id": first.id}),
                          ("no-connector", {"opencti-manager": ours}),
                          ("another-kind", {**labels, "opencti-manager": ours, "opencti-platform": "openaev", "gantry.platform": "aev"})):
            self.strangers.append(self.engine.create(name, "chaos/calm", its))

    def start_gantryd(self):
        for side in self.sides.values():
            side.told.new_process()
        self.begun_at.append(time.monotonic())
        self.gantryd.start()

    def close(self):
        self.processes.open = self.containers.open = False
        for daemon in (self.gantryd, self.other):
            daemon.clean()
        self.deeds.close()
        for side in self.sides.values():
            side.front.end()
            side.front.stop()
            side.platform.stop()
        self.engine.stop()

    # ----- platforms

    def platform_of(self, member):
        return self.sides[member.platform].platform

    def told(self, key):
        return self.sides[key[0]].told

    def member(self, key):
        return next((m for m in self.members if m.key == key), None)

    def add(self, member, requested="starting"):
        self.platform_of(member).add(
            member.name, IMAGE_OF[member.kind] + ":latest", id=member.id, requested=requested, configuration=[
                {"key": "PLAIN", "value": "x"}, {"key": "SECRET", "value": f"{MARKER}{member.platform}-{member.id[-4:]}", "secret": True}])
        member.listed, member.requested, member.worn = True, requested, 0

    def delete(self, member):
        self.platform_of(member).delete(member.id)
        member.listed = False

    def request(self, member, requested):
        self.platform_of(member).request(member.id, requested)
        member.requested = requested

    def bump(self, member):
        self.platform_of(member).patch(member.id, bump=True)
        member.worn = 0

    # ----- engine

    def engine_is_up(self):
        return self.engine.process.poll() is None and self.engine.ping()

    def ctr(self, *words):
        done = subprocess.run(["ctr", "--address", self.engine.home + "/c.sock", "--namespace", "moby", *words], timeout=30,
                              check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.stdout

    def engine_tasks(self):
        """What containerd has living processes for."""
        rows = [line.split() for line in self.ctr("tasks", "ls").splitlines()[1:]]
        return {row[0] for row in rows if row[-1] in ("RUNNING", "CREATED", "PAUSED")}

    def end_task(self, container_id):
        self.ctr("tasks", "kill", "--signal", "SIGKILL", container_id)
        self.ctr("tasks", "rm", "--force", container_id)

    def excuse(self, container_id):
        """Its end, or what becomes of it from now on, is our own doing."""
        self.excused.add(container_id)
        seen = self.containers.find(container_id)
        member = self.member(seen.key) if seen and seen.key else None
        if member:
            member.worn += 1

    def engine_died_with_all(self):
        self.engine_deaths.append(time.monotonic())
        for member in self.members:
            member.worn += 1

    def mend_strangers(self):
        """After the engine took everything down: what is not ours is started by those whose it is."""
        def all_run():
            for container in self.strangers:
                if not self.engine.inspect(container)["State"]["Running"]:
                    try:
                        self.engine.start_container(container)
                    except ApiError:
                        return False
            theirs = self.engine.containers({"opencti-manager": self.other.manager_id})
            return len(theirs) == 2 and all(c["State"] == "running" for c in theirs)
        if not self.other.running():
            self.other.start()
        eventually(all_run, 120, "strangers and the other manager's containers run", pause=0.3)
