"""What only Podman has: its secrets, its restarts without a pause, systemd's containers, health checks that nobody
runs, short names, logs with whole seconds.  What it shares with the others is in tests/real/matrix."""

import json
import os
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "plugin"))

from lib.case import Skip, case  # noqa: E402  (the path comes first)
from lib.podman import Podman, missing_part  # noqa: E402
from lib.tcpfront import Front  # noqa: E402
from lib.wait import eventually, stays  # noqa: E402
from driver import Driver  # noqa: E402

MANAGER = "0d5c7f0e-4a52-4a1c-9d0e-3f5b8f5c7a11"
LABELS = {"opencti-manager": MANAGER, "opencti-platform": "opencti"}
BUSY = "localhost/test/busy:latest"


def podman(world):
    if missing_part():
        raise Skip(missing_part())
    if world.value == "user":
        return users_podman(world)
    return world._engine or world.use(Podman())


def users_podman(world):
    if missing_part(rootless=True):
        raise Skip(missing_part(rootless=True))
    for close in world.closing:
        if isinstance(getattr(close, "__self__", None), Podman):
            return close.__self__
    engine = Podman(rootless=True)
    world.closing.append(engine.stop)
    engine.start().make_image()
    return engine


def driver_for(world, socket=None, **settings):
    engine = podman(world)
    driver = Driver("podman", {"socket": "unix://" + (socket or engine.socket), "network_mode": "none", **settings})
    world.closing.append(driver.close)
    return driver


def spec(name="c1", image=BUSY, settings=None, **more):
    labels = {**LABELS, "opencti-connector-id": name, "gantry.hash": "h1"}
    return {"id": name, "name": name, "image": image, "labels": labels,
            "settings": {"network_mode": "none", **(settings or {})}, **more}


def run_in(engine, handle, *command):
    """The output of a command in a container."""
    made = engine.api("POST", f"/containers/{handle}/exec", {"Cmd": list(command), "AttachStdout": True, "AttachStderr": True})["Id"]
    status, data = engine.raw("POST", f"/v4.0.0/libpod/exec/{made}/start", json.dumps({"Detach": False}).encode(),
                              {"Content-Type": "application/json"})
    assert status == 200, (status, data)
    text = b""
    while data:
        size = int.from_bytes(data[4:8], "big")
        text, data = text + data[8:8 + size], data[8 + size:]
    return text.decode()


def secrets_of(engine):
    found = engine.api("GET", "/secrets/json") or []
    return [item["Spec"]["Name"] for item in (found if isinstance(found, list) else [found])]


# ----- secrets

@case(each=("root", "user"), needs_gantryd=False)
def secrets_are_files_of_the_user_and_outlive_a_restart(world):
    engine, driver = podman(world), driver_for(world)
    value = "s3cr3t\nwith a line break and ž"
    for name, settings in (("plain", {}), ("user", {"user": "1000:1000"}), ("hard", {"hardened": True})):
        settings = {"secrets": "files", **settings}
        handle = driver.start(spec=spec(name, env={"TOKEN": value, "EMPTY": ""}, settings=settings,
                                        files=[{"path": "/etc/deep/ca.crt", "text": "a certificate", "mode": 0o444}]))["handle"]
        for _ in range(2):
            environment = run_in(engine, handle, "cat", "/proc/1/environ").split("\0")
            assert "TOKEN_FILE=/run/secrets/TOKEN" in environment and not any(e.startswith("TOKEN=") for e in environment), environment
            assert run_in(engine, handle, "cat", "/run/secrets/TOKEN") == value
            assert "EMPTY=" in environment, environment
            assert run_in(engine, handle, "cat", "/etc/deep/ca.crt") == "a certificate"
            mode = run_in(engine, handle, "stat", "-c", "%a %u", "/run/secrets/TOKEN").strip()
            assert mode == ("400 1000" if "user" in settings else "400 0"), mode
            driver.must("stop", handle=handle, grace_ms=1000)
            driver.start(handle=handle)
        assert "s3cr3t" not in json.dumps(engine.inspect(handle))
        assert secrets_of(engine) == []


@case(needs_gantryd=False)
def secrets_need_the_number_of_a_user(world):
    engine, driver = podman(world), driver_for(world)
    error = driver.fails("invalid", "start", spec=spec(env={"TOKEN": "x"}, settings={"secrets": "files", "user": "nobody"}))
    assert "UID" in error, error
    assert not engine.containers() and secrets_of(engine) == []


@case(needs_gantryd=False)
def secrets_of_a_call_that_was_cut_off_go_with_the_next(world):
    engine = podman(world)
    front = Front(engine.home + "/front.sock", engine.socket)
    world.closing.append(front.close)
    cut = Driver("podman", {"socket": "unix://" + front.address})

    def strike(method, path, when):
        if when == "before" and method == "POST" and "/containers/create" in path:
            cut.process.kill()
            return "hang"
        return None
    front.on_request = strike
    made = {"env": {"TOKEN": "x", "OTHER": "y"}, "settings": {"secrets": "files"}}
    try:
        cut.call("start", spec=spec(**made))
        raise AssertionError("the driver lives on")
    except AssertionError as error:
        assert "the driver ended" in str(error), error
    assert len(secrets_of(engine)) == 2, secrets_of(engine)
    engine.api("POST", "/secrets/create", b"z", {"name": "somebody-elses"}, {"Content-Type": "application/octet-stream"})
    driver_for(world).start(spec=spec(**made))
    assert secrets_of(engine) == ["somebody-elses"]
    engine.api("DELETE", "/secrets/somebody-elses")


# ----- restarts

@case(needs_gantryd=False)
def restarts_are_left_to_gantry_unless_they_are_asked_for(world):
    engine, driver = podman(world), driver_for(world)
    crash = engine.make_image("test/crash")
    quiet = driver.start(spec=spec("quiet", crash))["handle"]
    loud = driver.start(spec=spec("loud", crash, {"restart": "unless-stopped"}))["handle"]
    assert engine.inspect(quiet)["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
    eventually(lambda: engine.inspect(loud)["RestartCount"] > 3, 20, "Podman restarts it")
    assert engine.inspect(quiet)["RestartCount"] == 0
    seen = driver.inspect(quiet)
    assert seen["state"] == "failed" and seen["exit_code"] == 5, seen
    found = set()

    def told():
        found.add(driver.inspect(loud)["state"])
        return "restarting" in found
    eventually(told, 20, "it is seen as restarting", pause=0.01)
    assert found <= {"restarting", "running", "starting", "failed", "stopping"}, found
    assert driver.inspect(loud)["restarts"] > 3


@case(needs_gantryd=False)
def stop_ends_a_loop_of_podman_for_good(world):
    engine, driver = podman(world), driver_for(world)
    crash = engine.make_image("test/crash")
    handles = [driver.start(spec=spec(f"loop{i}", crash, {"restart": "always"}))["handle"] for i in range(4)]
    for handle in handles:
        eventually(lambda: engine.inspect(handle)["RestartCount"] > 2, 20, "it spins")
    for handle in handles:
        driver.must("stop", handle=handle, grace_ms=1000)
    time.sleep(1)  # a restart that Podman had begun before it was told to stop may still come, and is the last
    counts = [engine.inspect(handle)["RestartCount"] for handle in handles]

    def still():
        for handle, count in zip(handles, counts):
            state = engine.inspect(handle)
            assert state["RestartCount"] == count and not state["State"]["Running"], state["State"]
        return True
    stays(still, 2)


# ----- whose containers

@case(needs_gantryd=False)
def containers_of_systemd_are_not_adopted(world):
    engine, driver = podman(world), driver_for(world)
    labels = {**LABELS, "opencti-connector-id": "c1", "PODMAN_SYSTEMD_UNIT": "container-c1.service"}
    handle = engine.create("c1", BUSY, labels)
    assert driver.must("list", labels=LABELS)["statuses"] == []
    assert "container-c1.service" in driver.fails("not found", "inspect", handle=handle)
    for operation in ("stop", "remove"):
        driver.must(operation, handle=handle)
    driver.fails("conflict", "start", spec=spec())
    assert engine.inspect(handle)["State"]["Running"]


@case(needs_gantryd=False)
def health_is_checked_where_systemd_is_missing(world):
    engine, driver = podman(world), driver_for(world)
    check = {"Test": ["CMD-SHELL", "test ! -e /tmp/sick"], "Interval": 1_000_000_000, "Timeout": 5_000_000_000, "Retries": 1}
    handle = engine.create("well", BUSY, LABELS, healthconfig=check)
    if os.path.exists("/run/systemd/private"):
        raise Skip("systemd runs the checks here")
    assert driver.inspect(handle)["state"] == "starting"
    eventually(lambda: driver.inspect(handle)["health"] == 2, 15, "healthy", pause=0.5)
    assert driver.inspect(handle)["state"] == "running"
    run_in(engine, handle, "touch", "/tmp/sick")
    eventually(lambda: driver.inspect(handle)["health"] == 3, 15, "unhealthy", pause=0.5)
    listed = driver.must("list", labels=LABELS)["statuses"]
    assert [(item["state"], item["health"]) for item in listed] == [("running", 3)], listed


# ----- images

@case(needs_gantryd=False)
def short_names_are_podmans_affair(world):
    podman(world)
    driver = driver_for(world)
    assert driver.start(spec=spec("short", "test/busy"))["state"] == "running"  # there already, as localhost/test/busy
    error = driver.fails("image missing", "start", spec=spec("none", "no-such-short-name"))
    assert "registries.conf" in error and "no-such-short-name" in error, error


@case(needs_gantryd=False)
def image_is_pulled_by_digest_beside_a_tag(world):
    engine, registry = podman(world), world.registry("jo", "pw>>>???~~~")
    reference = registry.put(engine, tag="7")
    answer = registry.call("HEAD", "/v2/test/busy/manifests/7", "application/vnd.oci.image.manifest.v1+json, "
                           "application/vnd.docker.distribution.manifest.v2+json")
    digest = answer.headers["Docker-Content-Digest"]
    login = {"host": registry.host, "username": "jo", "password": "pw>>>???~~~"}
    driver = driver_for(world, insecure_registries=[registry.host])
    seen = driver.start(spec=spec(image=f"{reference}@{digest}", registry=login))
    assert seen["state"] == "running" and seen["digest"] == digest, seen
    plain = driver_for(world)
    text = plain.fails("unavailable", "pull", spec=spec(image=reference, registry=login, pull_policy=1))
    assert registry.host in text, text  # Podman wants TLS of it


@case(needs_gantryd=False)
def pull_begins_only_with_room(world):
    engine, registry = podman(world), world.registry()
    reference = registry.put(engine, tag="8")
    settings = {"insecure_registries": [registry.host], "min_free_space": 1 << 60}
    error = driver_for(world, **settings).fails("unavailable", "pull", spec=spec(image=reference))
    assert "min_free_space" in error and engine.home in error, error
    driver_for(world, insecure_registries=[registry.host], min_free_space=0).must("pull", spec=spec(image=reference))


# ----- logs

@case(needs_gantryd=False)
def lines_of_one_second_come_once_each(world):
    """Podman tells whole seconds; the cursor counts the lines in them."""
    engine, driver = podman(world), driver_for(world)
    image = engine.make_image("test/counter", command=["/bin/sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done"])
    handle = driver.start(spec=spec(image=image))["handle"]
    seen, cursor = [], None
    end = time.monotonic() + 6
    while time.monotonic() < end:
        lines = driver.must("logs", handle=handle, **({"cursor": cursor} if cursor else {}))["lines"]
        seen += [int(line["text"]) for line in lines]
        cursor = lines[-1]["cursor"] if lines else cursor
        time.sleep(0.13)
    assert len(seen) > 60 and seen == list(range(len(seen))), seen


@case(needs_gantryd=False)
def log_is_bounded(world):
    engine, driver = podman(world), driver_for(world)
    image = engine.make_image("test/flood", command=["/bin/sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo flood $i of many; i=$((i+1)); done; sleep 1000"])
    handle = driver.start(spec=spec(image=image, settings={"log_max_size": 100000}))["handle"]
    eventually(lambda: "flood 19999 of many" in [line["text"] for line in driver.must("logs", handle=handle)["lines"]], 20)
    path = engine.inspect(handle)["HostConfig"]["LogConfig"]["Path"]
    assert os.path.getsize(path) <= 110000, os.path.getsize(path)


# ----- options

@case(each=("root", "user"), needs_gantryd=False)
def options_take_effect(world):
    engine, driver = podman(world), driver_for(world)
    folder = engine.home + "/shared"
    os.makedirs(folder, exist_ok=True)
    settings = {
        "hardened": True, "user": "1000:1000", "hostname": "named", "extra_hosts": ["db:10.0.0.5"], "memory": 64 << 20,
        "cpus": "0.5", "pids_limit": 100, "shm_size": 1 << 20, "ulimits": ["nofile=100:200", "nproc=512"],
        "sysctls": ["kernel.shmmax=65536"], "tmpfs": ["/tmp:size=1m,mode=1777", "/run"],
        "volumes": [folder + ":/shared:ro", "kept:/kept"], "seccomp_profile": None,
    }
    settings = {key: value for key, value in settings.items() if value is not None}
    handle = driver.start(spec=spec(settings=settings))["handle"]
    status = run_in(engine, handle, "cat", "/proc/self/status")
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "Uid:\t1000\t1000"):
        assert line in status, (line, status)
    said = run_in(engine, handle, "sh", "-c", "hostname; grep files /proc/1/limits; touch /x; touch /tmp/x && echo in memory; touch /shared/x; touch /kept/x; "
                  "cat /proc/sys/kernel/shmmax; df -k /dev/shm | tail -1; cat /etc/hosts")
    for word in ("named", "100                  200", "touch: /x: Read-only", "in memory", "touch: /shared/x: Read-only", "65536", "1024", "10.0.0.5"):
        assert word in said, (word, said)
    host = engine.inspect(handle)["HostConfig"]
    if engine.rootless and not host["Memory"]:
        return  # cgroups that are not his
    assert host["Memory"] == 64 << 20 and host["MemorySwap"] == 64 << 20 and host["PidsLimit"] == 100, host
    assert host["NanoCpus"] == 500_000_000 and host["ReadonlyRootfs"], host
    driver.must("remove", handle=handle)
    assert engine.api("GET", "/volumes/kept/json"), "it is the operator's"
    engine.api("DELETE", "/volumes/kept")


@case(needs_gantryd=False)
def wrong_options_say_which(world):
    driver = driver_for(world)
    for settings, word in (({"security_opt": ["what=ever"]}, "security_opt"), ({"volumes": ["/no/such/folder:/x"]}, "/no/such/folder"),
                           ({"network_mode": "no-such-net"}, "no-such-net"), ({"ulimits": ["nofile"]}, "ulimits")):
        error = driver.fails("invalid", "start", spec=spec(settings=settings))
        assert word in error, error
    assert not podman(world).containers()


# ----- pause

@case(needs_gantryd=False)
def paused_container_is_stopped_and_started(world):
    engine, driver = podman(world), driver_for(world)
    handle = driver.start(spec=spec())["handle"]
    for operation in ("start", "stop"):
        engine.api("POST", f"/containers/{handle}/pause")
        assert driver.inspect(handle)["state"] == "paused"
        driver.must(operation, handle=handle, **({"grace_ms": 2000} if operation == "stop" else {}))
        assert driver.inspect(handle)["state"] == ("running" if operation == "start" else "exited")


@case(needs_gantryd=False)
def parallel_actions_do_not_disturb_each_other(world):
    podman(world)
    drivers = [driver_for(world) for _ in range(4)]
    problems = []

    def work(driver, number):
        try:
            for i in range(3):
                handle = driver.start(spec=spec(f"p{number}-{i}"))["handle"]
                driver.must("stop", handle=handle, grace_ms=2000)
                driver.must("remove", handle=handle)
        except AssertionError as error:
            problems.append(error)
    threads = [threading.Thread(target=work, args=(driver, number)) for number, driver in enumerate(drivers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems
    assert driver_for(world).must("list", labels=LABELS)["statuses"] == []
