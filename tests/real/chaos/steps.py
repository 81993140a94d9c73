"""What happens in a step.  Each function does one thing, taken by weight, and returns what it did in words; None
when there is nothing to do it to, and another is taken."""

import shutil
import signal
import time

from lib.engine import ApiError

from .lies import KINDS, MUTATIONS, Lie
from .world import RUNS_ON

STEPS = []  # (weight, kind, function)
FAULT, WISH = "fault", "wish"


def step(weight, kind=FAULT):
    def add(function):
        STEPS.append((weight, kind, function))
        return function
    return add


class Play:
    """The dice, and what is going on besides."""

    def __init__(self, world, model, random):
        self.world, self.model, self.random = world, model, random
        self.hard_deaths = []

    def some(self, members):
        members = list(members)
        return self.random.choice(members) if members else None

    def movable(self):
        return [m for m in self.world.members if m.kind != "still" and m.listed]

    def container_of(self, kinds, states=("running",)):
        """A container to strike behind gantryd's back: of a connector that has not been struck too often, or the
        rule about loops would keep it down for long."""
        members = {m.key: m for m in self.world.members if m.kind in kinds and m.worn < 2}
        found = [c for c in self.world.containers.present() if c.key in members and c.state in states
                 and c.manager == self.world.gantryd.manager_id]
        return self.some(sorted(found, key=lambda c: c.name))


# ----- wishes

@step(6, WISH)
def wish_run(play):
    member = play.some(m for m in play.movable() if m.requested != "starting")
    if member:
        play.world.request(member, "starting")
        return f"{member} shall run"


@step(5, WISH)
def wish_halt(play):
    member = play.some(m for m in play.movable() if m.requested != "stopping")
    if member:
        play.world.request(member, "stopping")
        return f"{member} shall stop"


@step(2, WISH)
def wish_odd(play):
    member = play.some(m for m in play.movable() if m.requested in ("starting", "stopping"))
    if member:
        play.world.request(member, "pausing")
        return f"{member}: an odd wish"


@step(8, WISH)
def change_hash(play):
    member = play.some(play.movable())
    if member:
        play.world.bump(member)
        return f"{member}: another hash"


@step(2, WISH)
def change_everything_at_once(play):
    members = play.movable()
    for member in members:
        play.world.bump(member)
    return f"{len(members)} connectors: another hash"


@step(4, WISH)
def delete(play):
    member = play.some(play.movable())
    if member:
        play.world.delete(member)
        return f"{member} deleted"


@step(1, WISH)
def delete_most(play):
    side = play.random.choice(sorted(play.world.sides))
    members = [m for m in play.movable() if m.platform == side]
    for member in members:
        play.world.delete(member)
    return f"all of {side} but the still ones deleted: {len(members)}"


@step(7, WISH)
def add(play):
    member = play.some(m for m in play.world.members if not m.listed)
    if member:
        play.world.add(member, play.random.choice(["starting", "starting", "stopped"]))
        return f"{member} added, {member.requested}"


# ----- platforms

def lie_of(play, kind, side):
    random, listed = play.random, [m for m in play.world.members if m.platform == side and m.listed]
    field = KINDS[kind]
    if field is None and random.random() < 0.6:
        field = random.choice([MUTATIONS, "connectorsForManagers", "updateConnectorManagerStatus"])
    ids = {m.id for m in random.sample(listed, random.randint(1, len(listed)))} if kind == "missing_some" else ()
    seconds = [random.choice([0.0, 0.2, 0.8, 2.0, 3.5, 6.0]) for _ in range(7)]
    return Lie(kind, field, play.some(listed).id, ids, seconds)


def begin_lie(play, kind):
    side = play.random.choice(sorted(play.world.sides))
    lie = lie_of(play, kind, side)
    play.world.sides[side].front.begin(lie)
    return f"{side} lies: {lie}"


@step(16)
def lie(play):
    return begin_lie(play, play.random.choice(sorted(KINDS)))


@step(3)
def list_nothing(play):
    text = begin_lie(play, "empty_list")
    seconds = play.random.choice([1.0, 3.0, 6.0, 9.0])  # without a restart between, which would begin to count anew
    time.sleep(seconds)
    return f"{text} for {seconds:g} s"


@step(3)
def list_not_all(play):
    text = begin_lie(play, "missing_some")
    seconds = play.random.choice([1.0, 2.0, 4.0, 6.0])
    time.sleep(seconds)
    return f"{text} for {seconds:g} s"


@step(2)
def repeat_an_old_listing(play):
    return begin_lie(play, "old")


@step(2)
def platform_is_down(play):
    return begin_lie(play, "down")


@step(9, WISH)
def tell_the_truth_again(play):
    side = play.some(s for s in play.world.sides.values() if s.front.lie)
    if side:
        told, hits = side.front.lie, side.front.lie.hits
        side.front.end()
        return f"{side.name} tells the truth again after {told}, {hits} times"


# ----- gantryd

@step(5)
def kill_gantryd(play):
    play.world.gantryd.kill()
    away = play.random.choice([0.0, 0.0, 0.3, 1.5])
    time.sleep(away)
    play.world.start_gantryd()
    return f"gantryd killed, {away:g} s away"


@step(3)
def terminate_gantryd(play):
    code, took = play.world.gantryd.terminate(within=40)
    play.model.holds(code == 0, "TERM", f"gantryd ended with {code} on TERM")
    play.world.start_gantryd()
    return f"gantryd ended by TERM in {took:.1f} s and started"


@step(3)
def gantryd_forgets(play):
    play.world.gantryd.kill()
    shutil.rmtree(play.world.gantryd.home + "/state", ignore_errors=True)
    play.world.start_gantryd()
    return "gantryd killed, its state folder deleted"


@step(1)
def kill_other_manager(play):
    play.world.other.kill()
    play.world.other.start()
    return "the other manager killed and started"


# ----- the engine

@step(4)
def kill_engine(play):
    play.world.engine_lost = True
    play.world.engine.kill()
    away = play.random.choice([0.0, 0.5, 2.5])
    time.sleep(away)
    play.world.engine.start(120)
    return f"dockerd killed, {away:g} s away; its containers live on"


@step(2)
def kill_engine_with_all(play):
    now = time.monotonic()
    if [t for t in play.hard_deaths if t > now - 200]:
        return None  # more often, and every connector is in a loop (S9)
    play.hard_deaths.append(now)
    world = play.world
    world.engine_lost = True
    play.model.marks = {}
    play.model.forget_still()
    world.engine_died_with_all()
    world.engine.restart(live_restore=False)
    world.mend_strangers()
    world.engine.live_restore = True
    world.engine.kill()
    world.engine.start(120)
    world.containers.look()
    time.sleep(0.3)
    play.model.mark_strangers()
    return "dockerd killed with all containers, and started"


@step(3)
def halt_engine(play):
    seconds = play.random.choice([1.0, 3.0, 6.0])
    play.world.engine.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        play.world.engine.process.send_signal(signal.SIGCONT)
    return f"dockerd stood still for {seconds:g} s"


def find_lost(play):
    """What dockerd lost when it was killed in the middle of a start lives on in containerd, and its id is taken
    for ever.  It is Docker's defect, and ended here, or the connector would never run again."""
    world = play.world
    lost = []
    if not world.engine_lost or world.engine.process.poll() is not None:
        return lost
    now = time.monotonic()
    tasks = world.engine_tasks()
    for seen in world.containers.present():
        since, state = seen.states[-1]
        if world.containers.answered and seen.id in tasks and state in ("exited", "created", "dead") and now - since > 2.5:
            world.end_task(seen.id)
            lost.append(seen.id)
    return lost


def strike(play, path, word, states=("running",), kinds=RUNS_ON[1:] + ("brief",), method="POST"):
    container = play.container_of(kinds, states)
    if container is None:
        return None
    play.world.excuse(container.id)
    try:
        play.world.engine.api(method, f"/containers/{container.id}{path}", timeout=60)
    except (ApiError, OSError) as error:
        return f"{word} {container.name}: {str(error)[:80]}"
    return f"{word} {container.name}"


@step(3)
def kill_container(play):
    return strike(play, "/kill", "docker kill")


@step(3)
def stop_container(play):
    return strike(play, "/stop?t=1", "docker stop")


@step(2)
def pause_container(play):
    return strike(play, "/pause", "docker pause")


@step(3)
def remove_container(play):
    return strike(play, "?force=1&v=1", "docker rm -f", states=("running", "exited", "created", "paused"), method="DELETE",
                  kinds=RUNS_ON[1:] + ("brief", "crash"))


@step(2)
def stranger_comes(play):
    world = play.world
    name = play.random.choice(["chaos-deaf-5-one", "chaos-deaf-5-one-c4a05000", "chaos-plain-2-new-1a2b"]) + f".{len(world.strangers)}"
    member = play.some(world.members)
    labels = {"opencti-manager": play.random.choice(["somebody-else", world.gantryd.manager_id + "0"]), "opencti-connector-id": member.id,
              "opencti-platform": "opencti", "gantry.platform": member.platform, "gantry.hash": "00000000"}
    if len(world.strangers) > 12:
        return None
    world.strangers.append(world.engine.create(name, "chaos/calm", labels))
    world.containers.look()
    time.sleep(0.3)
    play.model.mark_strangers()
    return f"a stranger: {name}"
