"""What only Portainer has: its key, environments, errors, stored credentials, agents, and streams that are held back.

The cases that every backend passes are those of the matrix.
"""

import os
import sys
import time
import uuid

from lib import check
from lib.case import Skip, case
from lib.portainer import KEY, NEEDED, Portainer, environment
from lib.smallportainer import SmallPortainer
from lib.wait import eventually

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "plugin"))
from driver import Driver  # noqa: E402  (the path comes first)

MANAGER = str(uuid.uuid4())
LABELS = {"opencti-manager": MANAGER}
PASSWORD = "pw>>>???~~~"


def portainer(world, socket=None, **more):
    for path, package in NEEDED.items():
        if not os.path.exists(path):
            raise Skip(f"{path} is missing: run tests/real/setup.sh (package {package})")
    made = Portainer(socket or world.engine.socket, **more)
    world.closing.append(made.stop)
    return made.start()


def small(world, **more):
    made = SmallPortainer(world.engine, **more)
    world.closing.append(made.stop)
    return made


def driver(world, settings):
    made = Driver("portainer", {"network_mode": "none", **settings})
    world.closing.append(made.close)
    return made


def spec(name="c1", image="test/busy:latest", **more):
    return {"id": name, "name": name, "image": image, "settings": {"network_mode": "none"},
            "labels": {**LABELS, "opencti-connector-id": name, "opencti-platform": "opencti"}, **more}


def refused(made, word, handle):
    """What every operation says: never that the workload is not there (S1)."""
    texts = [made.fails(word, "list", labels=LABELS), made.fails(word, "inspect", handle=handle),
             made.fails(word, "stop", handle=handle, grace_ms=0), made.fails(word, "remove", handle=handle),
             made.fails(word, "logs", handle=handle), made.fails(word, "start", spec=spec("c2")),
             made.fails(word, "start", handle=handle), made.fails(word, "probe")]
    for text in texts:
        assert KEY not in text and "\n" not in text, text
    return texts


# ----- the key and the environment


@case(needs_gantryd=False)
def wrong_key_is_denied_and_nothing_is_taken_for_gone(world):
    there = portainer(world)
    handle = driver(world, there.settings()).start(spec=spec())["handle"]
    for text in refused(driver(world, {**there.settings(), "api_key": "ptr_wrong"}), "denied", handle):
        assert "Invalid JWT token" in text and "'api_key'" in text and "ptr_wrong" not in text, text
    assert world.engine.inspect(handle)["State"]["Running"]


@case(needs_gantryd=False)
def missing_environment_is_told_with_those_that_are_there(world):
    there = portainer(world, others=[environment(4, "edge-site", 4), environment(9, "k8s", 5)])
    handle = driver(world, there.settings()).start(spec=spec())["handle"]
    for wanted in ("17", "nowhere"):
        for text in refused(driver(world, {**there.settings(), "environment": wanted}), "unavailable", handle):
            assert f"'{wanted}'" in text and "main (2), edge-site (4), k8s (9)" in text, text
    # Gone while it was used: the 404 of a request is that of the environment.
    made = driver(world, there.settings())
    assert made.inspect(handle)["state"] == "running"
    there.change(environments=[environment(5, "other")])
    for text in refused(made, "unavailable", handle):
        assert "no environment 'main'" in text and "other (5)" in text, text
    assert world.engine.inspect(handle)["State"]["Running"]


@case(needs_gantryd=False)
def environment_that_was_added_anew_is_found_by_its_name(world):
    there = portainer(world)
    made = driver(world, there.settings())
    handle = made.start(spec=spec())["handle"]
    there.change(environments=[environment(7, "main")])
    assert made.inspect(handle)["handle"] == handle  # at the first try
    by_number = driver(world, there.settings("7"))
    assert by_number.inspect(handle)["state"] == "running"
    assert driver(world, there.settings("2")).call("inspect", handle=handle)["word"] == "unavailable"


@case(needs_gantryd=False)
def environment_without_docker_is_refused(world):
    there = portainer(world, others=[environment(4, "async", 4, Edge={"AsyncMode": True}), environment(9, "k8s", 5)])
    for wanted, why in (("async", "asynchronous"), ("k8s", "no Docker environment")):
        text = driver(world, there.settings(wanted)).fails("unsupported", "list", labels=LABELS)
        assert why in text, text


@case(needs_gantryd=False)
def environment_that_is_down_is_told_apart_from_a_container_that_is_gone(world):
    there = portainer(world)
    made = driver(world, there.settings())
    handle = made.start(spec=spec())["handle"]
    gone = made.start(spec=spec("c2"))["handle"]
    world.engine.remove(gone)
    assert "No such container" in made.fails("not found", "inspect", handle=gone)
    world.engine.kill()
    try:
        for text in refused(made, "unavailable", handle):
            assert "Unable to proxy the request" in text and "running?" in text, text
    finally:
        world.engine.start()
    assert made.inspect(handle)["state"] == "running"


@case(needs_gantryd=False)
def certificate_is_verified_unless_told_otherwise(world):
    there = portainer(world)
    settings = there.settings()
    del settings["ca_file"]
    text = driver(world, settings).fails("denied", "list", labels=LABELS)
    assert "certificate" in text, text
    driver(world, {**settings, "tls_verify": False}).must("list", labels=LABELS)


# ----- what is made


@case(needs_gantryd=False)
def container_is_part_of_the_stack(world):
    there = portainer(world)
    handle = driver(world, {**there.settings(), "stack": "connectors"}).start(spec=spec())["handle"]
    assert world.engine.inspect(handle)["Config"]["Labels"]["com.docker.compose.project"] == "connectors"


@case(needs_gantryd=False)
def user_who_may_address_ids_alone_can_do_everything(world):
    made = driver(world, small(world, by_id=True).settings())
    old = made.start(spec=spec())
    new = made.start(handle=old["handle"], spec=spec(hash="h2"))
    made.must("remove", handle=old["handle"])
    seen = made.inspect(new["handle"])
    assert (seen["name"], seen["state"]) == ("c1", "running"), seen
    assert "held by container" in made.fails("unavailable", "start", spec=spec())
    made.must("stop", handle=new["handle"], grace_ms=0)
    made.must("remove", handle=new["handle"])
    assert not world.engine.containers(LABELS)


@case(needs_gantryd=False)
def rewritten_answers_are_understood(world):
    """Other order, keys of Portainer's own, rounded numbers; and an image whose path Portainer takes for its own."""
    made = driver(world, small(world).settings())
    world.engine.make_image("acme/edge/app", command=["/bin/sleep", "1000"])
    seen = made.start(spec=spec(image="acme/edge/app:latest"))
    assert seen["state"] == "running" and len(seen["handle"]) == 64, seen
    listed = made.must("list", labels=LABELS)["statuses"]
    assert [item["handle"] for item in listed] == [seen["handle"]], listed
    missing = spec("c2", "acme/edge/none:1", pull_policy=2)
    assert "acme/edge/none" in made.fails("image missing", "start", spec=missing)


# ----- registries


@case(needs_gantryd=False)
def credentials_that_portainer_holds_are_used(world):
    registry = world.registry("jo", PASSWORD)
    reference = registry.put(world.engine, "test/stored")
    there = small(world, registries={3: ("jo", PASSWORD), 4: ("jo", "wrong")})
    for number, word in (("8", "denied"), ("4", "denied"), ("3", "ok")):
        settings = {**there.settings(), "registries": ["other.example=1", f"{registry.host}={number}"]}
        answer = driver(world, settings).call("start", spec=spec(image=reference))
        assert answer["word"] == word, (number, answer)
        advice = f"check the credentials that Portainer holds for {registry.host}"
        assert word == "ok" or advice in answer["error"], answer
    assert PASSWORD not in str(there.requests)


# ----- streams


def watching(made):
    made.must("watch", labels=LABELS)


def next_event(made, wait):
    events = made.must("events", count=1, wait_ms=int(wait * 1000))["events"]
    return events[0] if events else None


@case(needs_gantryd=False)
def stream_that_comes_through_is_followed(world):
    there = portainer(world)
    made = driver(world, there.settings())
    handle = made.start(spec=spec())["handle"]
    watching(made)
    assert next_event(made, 10)["kind"] == "synced"
    made.must("events", count=1000, wait_ms=1500)  # the first stream begins with the current second
    world.engine.kill_container(handle)
    began = time.monotonic()
    told = next_event(made, 5)
    assert (told["kind"], told["handle"]) == ("changed", handle), told
    assert time.monotonic() - began < 4


@case(needs_gantryd=False)
def stream_is_believed_from_its_first_event_where_nothing_runs(world):
    there = portainer(world)
    made = driver(world, there.settings())
    watching(made)
    assert next_event(made, 1) is None  # nothing runs, so nothing has proven it
    made.start(spec=spec())
    assert next_event(made, 10)["kind"] == "synced"


@case(needs_gantryd=False)
def stream_that_is_held_back_is_never_claimed(world):
    there = portainer(world, held_back=True)
    made = driver(world, there.settings())
    handle = made.start(spec=spec())["handle"]
    watching(made)
    assert next_event(made, 15)["kind"] == "lost"
    world.engine.kill_container(handle)
    world.engine.start_container(handle)
    assert next_event(made, 3) is None  # neither a late event nor a claim


@case
def death_is_noticed_by_asking_where_streams_are_held_back(world):
    there = portainer(world, held_back=True)
    section = {**there.settings(), "api_key": "file:" + there.key_file, "network_mode": "none"}
    daemon = world.gantryd(sections={"backend docker": {"socket": None, "plugin": "portainer", **section}}).start()
    connector = world.platform.add("held")
    before = check.running(world, connector)
    daemon.waits_for("holds back the stream of events", 45)
    world.engine.kill_container(before["Id"])
    eventually(lambda: check.running(world, connector)["State"]["StartedAt"] != before["State"]["StartedAt"], 15,
               "it is started again")
    assert KEY not in daemon.text()
    assert not any("did not tell of what was changed" in line["event"] for line in daemon.lines()), "it was believed"


# ----- agents


@case(needs_gantryd=False)
def agents_of_a_swarm_are_told_apart(world):
    there = small(world, kind=2, nodes=["left", "right"])
    text = driver(world, there.settings()).fails("invalid", "start", spec=spec())
    assert "'node'" in text, text
    made = driver(world, {**there.settings(), "node": "right"})
    old = made.start(spec=spec())
    assert old["handle"].endswith("@right"), old
    assert [s["handle"] for s in made.must("list", labels=LABELS)["statuses"]] == [old["handle"]]
    new = made.start(handle=old["handle"], spec=spec(hash="h2"))
    made.must("remove", handle=old["handle"])
    for _ in range(4):  # agents answer in turn where none is named
        assert made.inspect(new["handle"])["name"] == "c1"
    assert made.must("logs", handle=new["handle"])
    made.must("stop", handle=new["handle"], grace_ms=0)
    made.must("watch", labels=LABELS)
    ended = next_event(made, 10)
    assert (ended["kind"], ended["word"]) == ("ended", "unsupported"), ended
    made.must("remove", handle=new["handle"])
    assert not world.engine.containers(LABELS)


@case(needs_gantryd=False)
def agent_alone_is_followed_as_an_engine_is(world):
    made = driver(world, small(world, kind=2).settings())
    handle = made.start(spec=spec())["handle"]
    assert "@" not in handle
    watching(made)
    assert next_event(made, 10)["kind"] == "synced"
