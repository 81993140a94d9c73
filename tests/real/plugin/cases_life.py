"""Start, inspect, list, stop, remove: the life of one workload."""

import hashlib
import threading
import time

from lib.wait import eventually
from world import MANAGER, case, spec, with_settings


@case
def new_container_has_the_defaults(w):
    seen = w.driver.start(spec=spec())
    assert (seen["state"], seen["name"], seen["hash"]) == ("running", "c1", "h1"), seen
    assert len(seen["handle"]) == 64 and seen["started_ms"] > 0 and "finished_ms" not in seen, seen
    inner = w.engine.inspect(seen["handle"])
    host = inner["HostConfig"]
    assert inner["Config"]["Labels"]["opencti-connector-id"] == "c1"
    assert host["RestartPolicy"]["Name"] == "unless-stopped" and host["Init"] is True
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10000000", "max-file": "3"}}, host
    assert inner["Config"]["StopTimeout"] == 2 and host["NetworkMode"] == "none"


@case
def settings_reach_the_engine(w):
    wanted = with_settings(
        extra_hosts=["db:10.0.0.5"], dns=["1.1.1.1", "8.8.8.8"], dns_search=["example.org"], cap_drop=["ALL"],
        cap_add=["NET_RAW"], security_opt=["no-new-privileges:true"], ipc_mode="private", shm_size=16777216,
        ulimits=["nofile=1000:2000", "core=0"], memory=67108864, cpus="0.5", pids_limit=50, init=False,
        log_max_size=1000000, log_max_files=2, restart="on-failure")
    handle = w.driver.start(spec=spec(settings=wanted))["handle"]
    host = w.engine.inspect(handle)["HostConfig"]
    assert host["ExtraHosts"] == ["db:10.0.0.5"] and host["Dns"] == ["1.1.1.1", "8.8.8.8"]
    assert host["CapDrop"] == ["ALL"] and host["CapAdd"] in (["NET_RAW"], ["CAP_NET_RAW"])
    assert host["SecurityOpt"] == ["no-new-privileges:true"] and host["ShmSize"] == 16777216
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1000, "Hard": 2000}, {"Name": "core", "Soft": 0, "Hard": 0}]
    assert host["Memory"] == 67108864 and host["NanoCpus"] == 500000000 and host["PidsLimit"] == 50
    assert host["LogConfig"]["Config"] == {"max-size": "1000000", "max-file": "2"} and host["Init"] is False
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 0}


@case
def files_are_there_when_it_starts(w):
    secret = "line 1\nline 2 žluť\n" + "x" * 2000
    path = "/run/deep/" + "d" * 120 + "/secret"
    image = w.engine.make_image("test/reads", command=["/bin/sh", "-c", f"ls -ln {path}; md5sum {path}; exec sleep 1000"])
    handle = w.driver.start(spec=spec(image=image, files=[{"path": path, "text": secret, "mode": 0o400},
                                                          {"path": "/etc/plain", "text": "", "mode": 0o644}]))["handle"]
    lines = eventually(lambda: (lambda found: found if len(found) == 2 else None)(
        w.driver.must("logs", handle=handle)["lines"]), what="both lines")
    assert lines[0]["text"].startswith("-r--------") and f" {len(secret.encode())} " in lines[0]["text"], lines
    assert lines[1]["text"].startswith(hashlib.md5(secret.encode()).hexdigest()), lines
    assert w.engine.inspect(handle)["Name"] == "/c1"
    w.driver.fails("invalid", "start", spec=spec("c2", files=[{"path": "/a/../b", "text": ""}]))


@case
def workload_without_its_files_is_never_started(w):
    w.front.on_request = lambda method, path, when: "cut" if method in ("PUT", "DELETE") and when == "before" else None
    w.driver.fails("unavailable", "start", spec=spec(files=[{"path": "/etc/secret", "text": "s"}]))
    w.front.on_request = None
    listed = w.driver.must("list", labels={"opencti-manager": MANAGER})["statuses"]
    assert len(listed) == 1 and listed[0]["name"].startswith("c1-part-"), listed
    w.driver.fails("not found", "start", handle=listed[0]["handle"])
    assert not w.engine.containers()


@case
def list_is_one_request_and_filters_by_all_labels(w):
    handles = {w.driver.start(spec=spec(name))["handle"] for name in ("c1", "c2", "c3")}
    w.engine.create("foreign", "test/busy", {"opencti-manager": "somebody"}, NetworkMode="none")
    w.engine.create("prefix", "test/busy", {"opencti-manager": MANAGER + "0"}, NetworkMode="none")
    w.requests()
    listed = w.driver.must("list", labels={"opencti-manager": MANAGER, "opencti-platform": "opencti"})["statuses"]
    assert w.requests() == [("GET", "/containers/json")]
    assert {item["handle"] for item in listed} == handles
    for item in listed:
        assert item["state"] == "running" and item["hash"] == "h1" and item["name"] in ("c1", "c2", "c3"), item
        assert item["labels"]["opencti-connector-id"] == item["name"] and item["created_ms"] > 0
    assert not w.driver.must("list", labels={"opencti-manager": MANAGER, "opencti-platform": "no"})["statuses"]


@case
def states_are_told_apart(w):
    def state(handle):
        return w.driver.inspect(handle)["state"], {
            item["handle"]: item["state"] for item in w.driver.must("list", labels={})["statuses"]}[handle]

    once = with_settings(restart="no", init=True)
    crashed = w.driver.start(spec=spec("crashed", "test/crash:latest", settings=once))["handle"]
    done = w.driver.start(spec=spec("done", "test/quick:latest", settings=once))["handle"]
    created = w.engine.create("never", "test/busy", start=False, NetworkMode="none")
    paused = w.engine.create("paused", "test/busy", NetworkMode="none")
    w.engine.api("POST", f"/containers/{paused}/pause")
    broken = w.engine.create("broken", "test/busy", command=["/nonexistent"], start=False, NetworkMode="none")
    try:
        w.engine.start_container(broken)
    except Exception:
        pass
    looping = w.driver.start(spec=spec("looping", "test/crash:latest"))["handle"]
    eventually(lambda: state(crashed) == ("failed", "failed"), what="failed")
    eventually(lambda: state(done) == ("exited", "exited"), what="exited")
    eventually(lambda: state(looping)[0] == "restarting", what="restarting")
    assert w.driver.inspect(crashed)["exit_code"] == 5
    assert state(created) == ("created", "created") and state(paused) == ("paused", "paused")
    seen = w.driver.inspect(broken)
    assert seen["state"] == "failed" and "nonexistent" in seen["error"] and "started_ms" not in seen, seen
    assert eventually(lambda: w.driver.inspect(looping)["restarts"] >= 2)
    w.engine.api("POST", f"/containers/{paused}/unpause")


@case
def health_is_told(w):
    check = {"Test": ["CMD-SHELL", "test -e /tmp/well"], "Interval": 200_000_000, "Retries": 1, "StartPeriod": 0}
    made = w.engine.api("POST", "/containers/create?name=sick", {
        "Image": "test/busy", "Healthcheck": check, "HostConfig": {"NetworkMode": "none"}})["Id"]
    w.engine.start_container(made)
    seen = w.driver.inspect(made)
    assert (seen["state"], seen["health"]) in (("starting", 1), ("running", 3)), seen
    eventually(lambda: w.driver.inspect(made)["health"] == 3, what="unhealthy")
    listed = w.driver.must("list", labels={})["statuses"][0]
    assert (listed["state"], listed["health"]) == ("running", 3), listed


@case
def hash_comes_from_the_variable_where_the_label_is_missing(w):
    made = w.engine.create("composer", "test/busy", {"opencti-manager": MANAGER}, ["OPENCTI_CONFIG_HASH=abc=1"],
                           NetworkMode="none")
    assert w.driver.inspect(made)["hash"] == "abc=1"
    assert "hash" not in w.driver.must("list", labels={"opencti-manager": MANAGER})["statuses"][0]


@case
def handle_that_climbs_out_of_its_path_is_no_absence(w):
    w.driver.fails("not found", "inspect", handle="0" * 64)
    w.driver.fails("unavailable", "inspect", handle="../images")


@case
def foreign_name_is_found_by_asking_alone(w):
    foreign = w.engine.create("c1", "test/busy", {"opencti-manager": "somebody else"}, NetworkMode="none")
    w.requests()
    error = w.driver.fails("conflict", "start", spec=spec("c1", "127.0.0.1:1/not/pulled:1"))
    assert foreign[:12] in error and "'c1'" in error, error
    assert all(method == "GET" for method, _ in w.requests())


@case
def name_like_the_beginning_of_an_id_is_free(w):
    other = w.driver.start(spec=spec("c1"))["handle"]
    assert w.driver.start(spec=spec(other[:10]))["name"] == other[:10]


@case
def variable_without_a_usable_form_is_refused_without_its_value(w):
    for name in ("", "A=B"):
        error = w.driver.fails("invalid", "start", spec=spec(env={name: "s3cret"}))
        assert "s3cret" not in error


@case
def paused_workload_runs_on(w):
    handle = w.driver.start(spec=spec())["handle"]
    w.engine.api("POST", f"/containers/{handle}/pause")
    started = w.engine.inspect(handle)["State"]["StartedAt"]
    assert w.driver.start(handle=handle)["state"] == "running"
    assert w.engine.inspect(handle)["State"]["StartedAt"] == started


@case
def once_takes_restarting_from_the_engine_and_a_later_start_gives_it_back(w):
    def policy():
        return w.engine.inspect(handle)["HostConfig"]["RestartPolicy"]["Name"]
    handle = w.driver.start(spec=spec(image="test/crash:latest", settings=with_settings(restart="always")))["handle"]
    eventually(lambda: w.driver.inspect(handle)["state"] == "restarting", what="restarting")
    w.driver.must("stop", handle=handle)
    assert w.driver.inspect(handle)["state"] in ("exited", "failed") and policy() == "unless-stopped"
    w.driver.start(handle=handle, once=True)
    assert policy() == "no"
    eventually(lambda: w.driver.inspect(handle)["state"] == "failed", what="failed")
    time.sleep(0.5)
    assert w.driver.inspect(handle)["state"] == "failed", "the engine started it again"
    w.driver.start(handle=handle)
    assert policy() == "always"
    other = w.driver.start(spec=spec("c2"), once=True)["handle"]
    assert w.engine.inspect(other)["HostConfig"]["RestartPolicy"]["Name"] == "no"


@case
def removal_that_is_under_way_is_waited_for(w):
    handle = w.driver.start(spec=spec(image="test/heavy:latest"))["handle"]
    eventually(lambda: w.driver.must("logs", handle=handle)["lines"], 60, "its files are written")
    w.driver.must("stop", handle=handle)
    thread = threading.Thread(target=w.engine.remove, args=(handle,))
    thread.start()
    w.driver.must("remove", handle=handle, timeout_ms=60000)
    assert not w.engine.containers()
    thread.join()
