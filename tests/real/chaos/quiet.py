"""A quiet phase: faults end, and within a bound everything is exactly as the platforms wish, and they know it."""

import os
import time

from .world import IMAGE_OF, MARKER, RUNS_ON

# A failure waits up to some 16 s after the few that a fault lasts (S6), a start up to 16 s more; five times that.
BOUND = 150.0
STAYS = 1.5  # more than gantryd needs to look at everything again


def end_faults(world):
    for side in world.sides.values():
        side.front.end()
    if not world.engine_is_up():
        world.engine.start(120)
    if not world.gantryd.running():
        world.start_gantryd()
    for member in world.members:
        if member.worn > 2 and member.listed:
            world.bump(member)  # S9: only a new hash ends a loop soon; its ends were our doing


def difference(world):
    """What is not yet as wished, in words; empty: all is."""
    wrong = []
    states = {name: side.platform.state()["connectors"] for name, side in world.sides.items()}
    ours = [c for c in world.containers.present() if c.manager == world.gantryd.manager_id and c.id not in world.strangers]
    for member in world.members:
        there = [c for c in ours if c.key == member.key]
        ours = [c for c in ours if c.key != member.key]
        listed = states[member.platform].get(member.id)
        problem = wrong_of(world, member, listed, there)
        if problem:
            wrong.append(f"{member}: {problem}; wished {listed and listed['requested']} {listed and listed['hash']}, told "
                         f"{listed and listed['current']}, there {there}")
    wrong += [f"of nobody: {c}" for c in ours]
    return wrong


def wrong_of(world, member, listed, there):
    if listed is None:
        return "is not listed, and there" if there else None
    if listed["requested"] == "pausing":
        return None  # nobody knows
    if listed["requested"] != "starting":
        if len(there) > 1 or any(c.state not in ("created", "exited") for c in there):
            return "shall not run"
        return None if listed["current"] == "stopped" else "the platform does not know that it is stopped"
    if member.kind == "missing":
        if there:
            return "has a container without having an image"
        return None if listed["current"] == "stopped" else "the platform does not know that it does not run"
    # What ends at once may never be seen running, and until then the one that it replaced stays, stopped.
    if member.kind not in RUNS_ON and len(there) == 2 and any(c.state in ("exited", "created") for c in there):
        there = [c for c in there if c.hash == listed["hash"]] or there
        return None if len(there) == 1 else "the wanted one is not there"
    if len(there) != 1:
        return f"{len(there)} containers"
    if there[0].hash != listed["hash"]:
        return "another hash"
    if member.kind in RUNS_ON:
        if there[0].state != "running" or world.processes.living(there[0].id) is None:
            return "does not run"
        if "-new-" in there[0].name or "-part-" in there[0].name:
            return "still has the name that it had beside the old one"
        if listed["current"] != "started":
            return "the platform does not know that it runs"
    return None


def converge(world, model, look):
    """How long it took; look: what is looked at all the time."""
    began = time.monotonic()
    end_faults(world)
    looks, since = world.containers.looks, None
    while since is None or time.monotonic() - since < STAYS:
        wrong = difference(world) if world.containers.looks > looks else ["not looked yet"]
        look()
        if wrong:
            since = None
            model.holds(time.monotonic() - began < BOUND, "convergence", f"not within {BOUND:g} s: " + "\n    ".join(wrong))
        elif since is None:
            since = time.monotonic()
        time.sleep(0.25)
    took = since - began
    model.checks += len(world.members)
    model.mark_still()
    protocol(world, model)
    return took


def protocol(world, model):
    for name, side in world.sides.items():
        state = side.platform.state()
        model.holds(not state["violations"], "protocol", f"{name}: {state['violations'][:2]}")
        model.holds(MARKER not in str(state["reports"]), "S10", f"{name}: a secret is in a report")


class Secrets:
    """S10, a piece of the log at a time."""

    def __init__(self, world):
        self.world, self.read = world, {}

    def look(self, model):
        gantryd = self.world.gantryd
        model.holds(not self.in_file(gantryd.log_path), "S10", "a secret is in gantryd's log")
        folder = gantryd.home + "/state"
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            try:
                with open(f"{folder}/{name}", encoding="utf-8", errors="replace") as file:
                    model.holds(MARKER not in file.read(), "S10", f"a secret is in {name} of the state folder")
            except FileNotFoundError:
                pass  # written anew at this moment
        try:
            with open(f"/proc/{gantryd.process.pid}/cmdline", "rb") as file:
                model.holds(MARKER.encode() not in file.read(), "S10", "a secret is on gantryd's command line")
        except FileNotFoundError:
            pass

    def in_file(self, path):
        with open(path, "rb") as file:
            file.seek(max(0, self.read.get(path, 0) - len(MARKER)))
            text = file.read()
            self.read[path] = file.tell()
        return MARKER.encode() in text


__all__ = ["BOUND", "IMAGE_OF", "Secrets", "converge", "difference"]
