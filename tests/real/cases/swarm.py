"""What only a swarm has: tasks, versions, digests, secrets, placement, and nodes that pull by themselves.

The cases that every backend passes are those of the matrix.
"""

import json
import os
import sys
import threading
import uuid

from lib.case import case
from lib.engine import Engine
from lib.swarm import NOWHERE, SwarmEngine
from lib.tcpfront import Front
from lib.wait import eventually, stays

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "plugin"))
from driver import Driver  # noqa: E402  (the path comes first)

MANAGER = str(uuid.uuid4())
LABELS = {"opencti-manager": MANAGER}
PASSWORD = "pw>>>???~~~"
LOOK = ("cd /run/secrets; ls -ln; for f in *; do echo $f=$(cat $f); done; env; cat /proc/self/status; touch /x; touch /tmp/x; "
        "exec sleep 1000")


def swarm(world):
    """The engine of this file's cases, in place of a plain one."""
    if world._engine is None:
        world._engine = SwarmEngine().start()
        world._engine.make_images()
        world._engine.make_image("test/look", command=["/bin/sh", "-c", LOOK])
        world._engine.make_image("test/nothing", command=["/nonexistent"])
    return world._engine


def driver(world, plugin="swarm", **settings):
    made = Driver(plugin, {"socket": swarm(world).url, **settings})
    world.closing.append(made.close)
    return made


def spec(name="c1", image=NOWHERE + "test/busy:latest", hash_="h1", settings=None, **more):
    return {"id": name, "name": name, "image": image, "hash": hash_, "settings": {"restart_delay": 500, **(settings or {})},
            "labels": {**LABELS, "opencti-connector-id": name, "opencti-platform": "opencti", "gantry.hash": hash_}, **more}


def log_of(made, handle, *words):
    def probe():
        text = "\n".join(line["text"] for line in made.must("logs", handle=handle)["lines"])
        return text if all(word in text for word in words) else None
    return eventually(probe, 20, f"{words} are in the log")


def login(registry, password=PASSWORD):
    return {"host": registry.host, "username": "jo", "password": password}


@case(needs_gantryd=False)
def options_reach_the_service(world):
    settings = {
        "extra_hosts": ["db:10.0.0.5"], "dns": ["1.1.1.1"], "dns_search": ["example.org"], "hostname": "box", "user": "7:8",
        "cap_add": ["NET_RAW"], "cap_drop": ["ALL"], "read_only": True, "tmpfs": ["/tmp:size=8m,mode=1777"],
        "sysctls": ["net.core.somaxconn=512"], "ulimits": ["nofile=1000:2000"], "memory": 64 << 20, "cpus": "0.5", "pids_limit": 50,
        "init": False, "log_max_size": 1000000, "log_max_files": 2, "network": ["host"], "memory_reservation": 8 << 20,
        "cpus_reservation": "0.1", "placement_constraints": ["node.role==manager"],
        "placement_preferences": ["spread=node.labels.zone"], "restart_condition": "on-failure", "restart_delay": 2000,
        "restart_max_attempts": 4, "volumes": ["data:/data:ro"]}
    made = driver(world)
    settings.pop("sysctls")  # on the host's network it would be the host's
    handle = made.start(spec=spec(settings=settings, stop_grace_ms=3000, platform="linux/amd64"))["handle"]
    found = swarm(world).service(handle)["Spec"]
    task, box = found["TaskTemplate"], found["TaskTemplate"]["ContainerSpec"]
    assert box["Hosts"] == ["10.0.0.5 db"] and box["DNSConfig"] == {"Nameservers": ["1.1.1.1"], "Search": ["example.org"]}, box
    assert (box["Hostname"], box["User"], box["ReadOnly"], box["Init"], box["StopGracePeriod"]) == ("box", "7:8", True, False, 3 * 10**9)
    assert box["CapabilityDrop"] == ["ALL"] and [cap.replace("CAP_", "") for cap in box["CapabilityAdd"]] == ["NET_RAW"]
    assert {"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": {"SizeBytes": 8 << 20, "Mode": 0o1777}} in box["Mounts"], box
    assert {"Type": "volume", "Source": "data", "Target": "/data", "ReadOnly": True} in box["Mounts"], box
    assert box["Ulimits"] == [{"Name": "nofile", "Soft": 1000, "Hard": 2000}]
    assert task["Resources"] == {"Limits": {"NanoCPUs": 5 * 10**8, "MemoryBytes": 64 << 20, "Pids": 50},
                                 "Reservations": {"NanoCPUs": 10**8, "MemoryBytes": 8 << 20}}, task["Resources"]
    assert task["RestartPolicy"] == {"Condition": "on-failure", "Delay": 2 * 10**9, "MaxAttempts": 4}, task["RestartPolicy"]
    assert task["LogDriver"] == {"Name": "json-file", "Options": {"max-size": "1000000", "max-file": "2"}}
    placement = task["Placement"]
    assert placement["Constraints"] == ["node.role==manager"] and placement["Platforms"] == [{"Architecture": "amd64", "OS": "linux"}]
    assert placement["Preferences"] == [{"Spread": {"SpreadDescriptor": "node.labels.zone"}}] and len(task["Networks"]) == 1
    for wrong, words in (({"tmpfs": ["/tmp:nosuid"]}, "size=64m"), ({"placement_preferences": ["zone"]}, "spread="),
                         ({"watch_interval": 5}, "between 1s and 60s")):
        answer = made.call("open", settings={"socket": swarm(world).url, **wrong})
        assert answer["word"] == "invalid" and words in answer["error"], answer


@case(needs_gantryd=False)
def secrets_are_files_and_go_with_their_service(world):
    engine, made = swarm(world), driver(world)
    given = {"env": {"TOKEN": "top-secret-1", "URL": "http://x", "EMPTY": ""}, "open_env": {"URL": 1}}
    wanted = spec(image=NOWHERE + "test/look:latest", settings={"secrets": "files", "hardened": True, "user": "7"},
                  files=[{"path": "/run/secrets/ca.crt", "text": "certificate", "mode": 0o444}], **given)
    handle = made.start(spec=wanted)["handle"]
    seen = log_of(made, handle, "Seccomp")
    assert "TOKEN=top-secret-1" in seen and "TOKEN_FILE=/run/secrets/TOKEN" in seen and "ca.crt=certificate" in seen, seen
    assert "-r--------    1 7 " in seen and "-r--r--r--    1 7 " in seen and "Read-only file system" in seen, seen
    assert "\nEMPTY=\n" in seen and "EMPTY_FILE" not in seen, seen
    assert seen.count("TOKEN=") == 1 and "CapBnd:\t0000000000000000" in seen, seen
    assert "top-secret-1" not in json.dumps(engine.service(handle))
    first = {secret["ID"] for secret in engine.ask("/secrets")}
    assert len(first) == 2 and all(secret["Spec"]["Name"].startswith("c1-") for secret in engine.ask("/secrets"))
    wanted.update(env={"TOKEN": "top-secret-2", "URL": "http://x"}, hash="h2")
    wanted["labels"]["gantry.hash"] = "h2"
    assert made.start(handle=handle, spec=wanted)["handle"] == handle
    log_of(made, handle, "TOKEN=top-secret-2")
    second = {secret["ID"] for secret in engine.ask("/secrets")}
    assert len(second) == 2 and not first & second, (first, second)
    wanted["image"] = NOWHERE + "test/nothing:latest"
    wanted["settings"]["init"] = False  # which would start, and find nothing to run
    made.fails("invalid", "start", handle=handle, spec=wanted)
    assert {secret["ID"] for secret in engine.ask("/secrets")} == second, "those of the attempt are gone, the old ones are not"
    made.must("remove", handle=handle)
    assert not engine.ask("/secrets") and not [c for c in engine.containers() if c["State"] == "running"]


@case(needs_gantryd=False)
def no_node_for_it_is_starting_with_the_reason(world):
    engine, made = swarm(world), driver(world)
    nowhere = {"placement_constraints": ["node.labels.zone==moon"]}
    seen = made.start(spec=spec(settings=nowhere, start_timeout_ms=1500))
    assert seen["state"] == "starting" and "no suitable node" in seen["error"], seen
    old = made.start(spec=spec("c2"))["handle"]
    error = made.fails("timed out", "start", handle=old, spec=spec("c2", hash_="h2", settings=nowhere, start_timeout_ms=1500,
                                                                  stop_grace_ms=1000))
    assert "no suitable node" in error, error
    back = made.inspect(old)
    assert (back["state"], back["hash"]) == ("running", "h1") and engine.running_pid(old), back


@case(needs_gantryd=False)
def image_is_pinned_and_its_failures_come_before_any_change(world):
    engine, made, registry = swarm(world), driver(world), world.registry("jo", PASSWORD)
    one = registry.put(engine, "test/pinned", "1", extra_bytes=200_000)
    seen = made.start(spec=spec(image=one, registry=login(registry)))
    pinned = engine.service(seen["handle"])["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    assert seen["image"] == one and pinned == f"{one}@{seen['digest']}", (seen, pinned)
    handle, pid = seen["handle"], engine.running_pid(seen["handle"])
    two = registry.put(engine, "test/pinned", "2", extra_bytes=200_000)
    for word, image, more in (
            ("denied", two, {"registry": login(registry, "wrong-s3cret")}), ("denied", two, {}),
            ("image missing", registry.reference("test/pinned", "none"), {"registry": login(registry)}),
            ("image missing", two, {"registry": login(registry), "pull_policy": 2}),
            ("image missing", two, {"registry": login(registry), "platform": "plan9/mips"}),
            ("image missing", "sha256:" + "0" * 64, {})):
        error = made.fails(word, "start", handle=handle, spec=spec(image=image, hash_="h2", **more))
        assert "wrong-s3cret" not in error and (word != "denied" or registry.host in error), error
        assert engine.running_pid(handle) == pid and made.inspect(handle)["hash"] == "h1", (word, image)
    registry.spoil_layers()
    error = made.fails("image missing", "start", handle=handle, spec=spec(image=two, hash_="h2", registry=login(registry)))
    assert "a node has not got the image" in error, error
    back = made.inspect(handle)
    assert (back["state"], back["hash"], back["image"]) == ("running", "h1", one), back


@case(needs_gantryd=False)
def version_that_rises_meanwhile_is_read_again(world):
    engine, made = swarm(world), driver(world)
    handle = made.start(spec=spec())["handle"]
    stop = threading.Event()

    def touch():
        count = 0
        while not stop.wait(0.01):
            found = engine.service(handle)
            found["Spec"]["Labels"]["touched"] = str(count)
            count += engine.raw("POST", f"/services/{handle}/update?version={found['Version']['Index']}",
                                json.dumps(found["Spec"]), {"Content-Type": "application/json"})[0] == 200
        assert count > 10, count
    thread = threading.Thread(target=touch)
    thread.start()
    try:
        for _ in range(3):
            made.must("stop", handle=handle, grace_ms=1000)
            assert made.start(handle=handle)["state"] == "running"
        assert made.start(handle=handle, spec=spec(hash_="h2"))["hash"] == "h2"
    finally:
        stop.set()
        thread.join()
    assert made.inspect(handle)["state"] == "running"


@case(needs_gantryd=False)
def numbers_of_a_foreign_spec_are_kept(world):
    engine, made = swarm(world), driver(world)
    handle = engine.make_service("c1", NOWHERE + "test/busy:latest", LABELS)
    found = engine.service(handle)
    limits = [{"Name": "nofile", "Soft": 2**63 - 1, "Hard": 2**63 - 1}]
    found["Spec"]["TaskTemplate"]["ContainerSpec"].update(Ulimits=limits, StopGracePeriod=3 * 10**15)
    engine.api("POST", f"/services/{handle}/update?version={found['Version']['Index']}", found["Spec"])
    made.must("stop", handle=handle, grace_ms=0)
    box = engine.service(handle)["Spec"]["TaskTemplate"]["ContainerSpec"]
    assert box["Ulimits"] == limits and box["StopGracePeriod"] == 3 * 10**15, box


@case(needs_gantryd=False)
def how_it_ended_is_known_when_its_task_is_gone(world):
    engine, made = swarm(world), driver(world)
    polite = made.start(spec=spec(stop_grace_ms=5000))["handle"]
    deaf = made.start(spec=spec("c2", NOWHERE + "test/deaf:latest", stop_grace_ms=60000))["handle"]
    looping = made.start(spec=spec("c3", NOWHERE + "test/crash:latest"))["handle"]
    for handle, code in ((polite, 0), (deaf, 137), (looping, 5)):
        made.must("stop", handle=handle, grace_ms=1000)
        if code != 5:  # those that failed by themselves are kept
            eventually(lambda: not engine.tasks(handle), 10, "its tasks are gone")
        seen = made.inspect(handle)
        assert (seen["state"], seen["exit_code"]) == ("exited", code) and seen["finished_ms"] > 0, seen
    created = engine.make_service("c4", NOWHERE + "test/busy:latest", LABELS, replicas=0)
    assert made.inspect(created)["state"] == "created"


@case(needs_gantryd=False)
def once_takes_restarting_away_and_the_next_start_gives_it_back(world):
    engine, made = swarm(world), driver(world)

    def condition():
        return engine.service(handle)["Spec"]["TaskTemplate"]["RestartPolicy"]["Condition"]
    handle = made.start(spec=spec(image=NOWHERE + "test/crash:latest"))["handle"]
    eventually(lambda: made.inspect(handle)["restarts"] >= 2, 20, "it is restarted")
    made.must("stop", handle=handle)
    made.start(handle=handle, once=True)
    seen = eventually(lambda: (lambda s: s if s["state"] == "failed" else None)(made.inspect(handle)))
    count = len(engine.tasks(handle))
    assert condition() == "none" and seen["exit_code"] == 5, seen
    stays(lambda: len(engine.tasks(handle)) == count and made.inspect(handle)["state"] == "failed", 1.5)
    made.start(handle=handle)
    assert condition() == "any"


@case(needs_gantryd=False)
def requests_do_not_grow_with_the_services(world):
    front = Front(swarm(world).home + "/front.sock", swarm(world).socket)
    world.closing.append(front.close)
    made = driver(world, socket="unix://" + front.address, watch_interval="1s")
    handles = {made.start(spec=spec(f"c{i}"))["handle"] for i in range(5)}
    made.must("watch", labels=LABELS)
    assert made.must("events", count=1, wait_ms=5000)["events"][0]["kind"] == "synced"
    front.requests.clear()
    seen = made.must("list", labels=LABELS)["statuses"]
    assert {item["handle"] for item in seen} == handles and all(item["state"] == "running" for item in seen), seen
    assert not made.must("events", count=1, wait_ms=4000)["events"], "nothing happened"
    asked = [path.split("?")[0].split("/")[-1] for _, path in front.requests]
    assert set(asked) == {"services", "tasks", "events"}, asked
    assert len(asked) <= 2 + 5 * 3, asked


def without_events(answer):
    """The head of the stream comes, and nothing that happens."""
    if b'"timeNano"' not in answer:
        return answer
    return answer.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if answer.startswith(b"HTTP/") else b""


@case(needs_gantryd=False)
def what_is_made_and_gone_between_two_looks_is_told(world):
    front = Front(swarm(world).home + "/front.sock", swarm(world).socket)
    world.closing.append(front.close)
    front.on_answer = without_events
    made = driver(world, socket="unix://" + front.address, watch_interval="3s")
    made.must("watch", labels=LABELS)
    assert made.must("events", count=1, wait_ms=5000)["events"][0]["kind"] == "synced"
    for i in range(4):
        handle = made.start(spec=spec(f"short-{i}"))["handle"]
        made.must("events", count=1000, wait_ms=1)
        swarm(world).remove_service(handle)
        eventually(lambda: any(event["handle"] == handle for event in made.must("events", count=1, wait_ms=1000)["events"]), 20,
                   f"the end of {handle} is told", pause=0)


@case(needs_gantryd=False)
def engine_that_is_no_manager_says_what_to_do(world):
    plain = Engine().start()
    world.closing.append(plain.stop)
    made = driver(world, socket=plain.url)
    error = made.fails("unsupported", "probe")
    assert "docker swarm init" in error, error
    for operation, more in (("list", {"labels": LABELS}), ("inspect", {"handle": "x" * 25}), ("stop", {"handle": "x" * 25}),
                            ("remove", {"handle": "x" * 25}), ("start", {"spec": spec()}), ("logs", {"handle": "x" * 25})):
        error = made.fails("unavailable", operation, **more)
        assert "not a manager of a swarm" in error, error
    assert driver(world).must("probe")["product"] == "Docker Swarm"


@case(needs_gantryd=False)
def docker_plugin_leaves_containers_of_services_alone(world):
    made, docker = driver(world), driver(world, "docker")
    docker.must("watch", labels=LABELS)
    assert docker.must("events", count=1, wait_ms=5000)["events"][0]["kind"] == "synced"
    made.start(spec=spec())
    labels = {"opencti-manager": MANAGER, "opencti-connector-id": "c1"}
    assert len(swarm(world).containers(labels)) == 1, "its labels are seen on the container"
    assert not docker.must("list", labels=LABELS)["statuses"]
    assert not docker.must("events", count=1, wait_ms=1000)["events"]


@case
def composers_services_are_adopted_and_run_on(world):
    engine = swarm(world)
    section = {"plugin": "swarm", "socket": engine.url, "restart_delay": "500ms"}
    daemon = world.gantryd(sections={"backend docker": section})
    connector = world.platform.add("By Composer", NOWHERE + "test/busy:latest")
    labels = {"opencti-manager": daemon.manager_id, "opencti-connector-id": connector, "opencti-platform": "opencti"}
    handle = engine.make_service("by-composer", NOWHERE + "test/busy:latest", labels,
                                 [f"OPENCTI_CONFIG_HASH={world.platform.hash(connector)}"])
    pid = engine.running_pid(handle)
    daemon.start()
    eventually(lambda: world.platform.status(connector) == "started", 30, "it is reported as started")
    stays(lambda: engine.running_pid(handle) == pid and len(engine.ask("/services")) == 1, 3)
    world.platform.patch(connector, bump=True)
    eventually(lambda: engine.service(handle)["Spec"]["Labels"].get("gantry.hash") == world.platform.hash(connector), 30,
               "it is changed in place")
    eventually(lambda: engine.running_pid(handle) not in (None, pid), 30, "it runs anew")
    world.platform.request(connector, "stopping")
    eventually(lambda: engine.running_pid(handle) is None, 30, "it is stopped")
    world.platform.delete(connector)
    eventually(lambda: not engine.ask("/services"), 40, "it is removed")
