"""watch(): what the plugin tells when something happens to a workload, and when the engine goes."""

import os
import re
import signal
import time

from driver import Driver
from lib.tcpfront import Front
from lib.wait import eventually
from world import MANAGER, case, spec

LABELS = {"opencti-manager": MANAGER}


class Watch:
    """A driver that watches; its events, taken as they come."""

    def __init__(self, w, address=None, **settings):
        self.driver = Driver("docker", {**w.settings(), "socket": "unix://" + (address or w.front.address), **settings})
        self.driver.must("watch", labels=LABELS)

    def events(self, count=1, wait=10.0):
        return self.driver.must("events", count=count, wait_ms=int(wait * 1000))["events"]

    def next(self, wait=10.0):
        events = self.events(1, wait)
        assert len(events) == 1, events
        return events[0]

    def until(self, kind, wait=15.0, handle=None):
        """Everything up to the first event of this kind, of this workload."""
        seen, end = [], time.monotonic() + wait
        while not any(event["kind"] == kind and handle in (None, event.get("handle")) for event in seen):
            left = end - time.monotonic()
            assert left > 0, f"no '{kind}' of {handle or 'any'} within {wait} s: {seen}"
            seen += self.events(1, left)
        return seen

    def quiet(self, seconds=0.7):
        events = self.events(1, seconds)
        assert not events, events

    def handles(self, seconds=1.0):
        """What changed within this time: handles and connector ids."""
        events, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            events += self.events(1, end - time.monotonic())
        assert all(event["kind"] == "changed" for event in events), events
        return [(event["handle"], event.get("id")) for event in events]

    def __enter__(self):
        self.until("synced")
        self.events(10000, 1.5)  # of the case before: the first stream begins with the current second
        return self

    def __exit__(self, *_):
        self.driver.close()


def changes(watch, handle, what, action):
    """This action is told within a second, of this handle and no other."""
    watch.handles(0.3)
    began = time.monotonic()
    action()
    event = watch.next(5)
    assert (event["kind"], event["handle"], event.get("id")) == ("changed", handle, "c1"), (what, event)
    late = event["at_ms"] / 1000 - began
    assert late < 5, (what, late)
    return late


@case
def every_change_of_a_workload_is_told(w):
    with Watch(w) as watch:
        handle = w.driver.start(spec=spec())["handle"]
        assert set(watch.handles()) == {(handle, "c1")}
        post = lambda path: (lambda: w.engine.api("POST", f"/containers/{handle}/{path}"))
        changes(watch, handle, "pause", post("pause"))
        changes(watch, handle, "unpause", post("unpause"))
        changes(watch, handle, "rename", post("rename?name=other"))
        update = {"RestartPolicy": {"Name": "no"}}
        changes(watch, handle, "update", lambda: w.engine.api("POST", f"/containers/{handle}/update", update))
        changes(watch, handle, "kill", post("kill"))
        changes(watch, handle, "start", post("start"))
        changes(watch, handle, "stop", post("stop?t=1"))
        changes(watch, handle, "remove", lambda: w.engine.remove(handle))
        assert w.driver.call("inspect", handle=handle)["word"] == "not found"


@case
def death_is_told_within_milliseconds(w):
    late = []
    with Watch(w) as watch:
        handle = w.driver.start(spec=spec(settings={"network_mode": "none", "restart": "no"}))["handle"]
        for _ in range(5):
            eventually(lambda: w.driver.inspect(handle)["state"] == "running")
            watch.handles(0.5)
            pid = w.engine.inspect(handle)["State"]["Pid"]
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            event = watch.next(5)
            late.append((event["at_ms"] / 1000 - began) * 1000)
            assert w.driver.inspect(handle)["state"] in ("exited", "failed")
            w.engine.start_container(handle)
    print(f"  from SIGKILL to the event: {', '.join(f'{ms:.0f}' for ms in sorted(late))} ms")
    assert sorted(late)[2] < 500, late


@case
def crash_loop_and_lack_of_memory_are_told(w):
    with Watch(w) as watch:
        handle = w.driver.start(spec=spec(image="test/crash:latest"))["handle"]
        events = watch.handles(3)
        assert len(events) >= 3 and set(events) == {(handle, "c1")}, events
        w.driver.must("stop", handle=handle, grace_ms=0)
        watch.handles(0.5)
        image = w.engine.make_image("test/hungry", command=["/bin/sh", "-c", "sleep 1; tail /dev/zero"])
        limits = {"network_mode": "none", "memory": 16 << 20, "restart": "no"}
        hungry = w.driver.start(spec=spec("c2", image=image, settings=limits))["handle"]
        seen = eventually(lambda: (lambda s: s if s["state"] == "failed" else None)(w.driver.inspect(hungry)), 20)
        assert (hungry, "c2") in watch.handles(0.5)
        assert seen["exit_code"] == 137, seen


@case
def noise_and_foreign_containers_are_silent(w):
    with Watch(w) as watch:
        handle = w.driver.start(spec=spec())["handle"]
        watch.handles()
        made = w.engine.api("POST", f"/containers/{handle}/exec", {"Cmd": ["true"]})["Id"]
        w.engine.api("POST", f"/exec/{made}/start", {"Detach": True})
        w.engine.api("GET", f"/containers/{handle}/top")
        w.engine.raw("GET", f"/containers/{handle}/archive?path=/etc")
        w.engine.api("POST", f"/containers/{handle}/kill?signal=SIGWINCH")
        other = w.engine.create("foreign", "test/busy", {"opencti-manager": "another"}, NetworkMode="none")
        w.engine.remove(other)
        assert watch.handles() == []


@case
def health_is_told_without_its_probes(w):
    check = {"Test": ["CMD-SHELL", "test -e /tmp/well"], "Interval": 200_000_000, "Retries": 1, "StartPeriod": 0}
    with Watch(w) as watch:
        made = w.engine.api("POST", "/containers/create?name=sick", {
            "Image": "test/busy", "Labels": LABELS, "Healthcheck": check, "HostConfig": {"NetworkMode": "none"}})["Id"]
        w.engine.start_container(made)
        eventually(lambda: w.driver.inspect(made)["health"] == 3, 10)  # unhealthy
        assert watch.handles(1) and watch.handles(1) == []  # probes go on, nothing changes


@case
def own_actions_are_told_by_their_return(w):
    """What a manager may rely on: the events of an action are emitted about when it returns, not later."""
    with Watch(w) as watch:
        w.driver.start(spec=spec())
        ended = time.monotonic() * 1000
        events = watch.events(1, 2) + watch.events(1, 0.5)
        assert events and events[0]["at_ms"] <= ended + 100, (events, ended)
        w.driver.must("stop", handle=events[0]["handle"], grace_ms=1000)
        ended = time.monotonic() * 1000
        events = watch.events(1, 2) + watch.events(1, 0.5)
        assert events and events[-1]["at_ms"] <= ended + 100, (events, ended)


def shut_down(engine):
    engine.process.terminate()
    engine.process.wait(30)


@case
def engine_that_restarts_is_followed_again(w):
    with Watch(w) as watch:
        handle = w.driver.start(spec=spec())["handle"]
        for end in (w.engine.kill, lambda: shut_down(w.engine)):
            watch.handles()
            end()
            assert watch.next()["kind"] == "lost"
            watch.quiet()  # once
            w.engine.start()
            assert watch.until("synced", 20)[-1]["kind"] == "synced"
        watch.handles()
        w.driver.must("stop", handle=handle, grace_ms=1000)
        assert set(watch.handles()) == {(handle, "c1")}


@case
def event_in_the_gap_is_told_by_the_next_stream(w):
    with Watch(w) as watch:
        handle = w.driver.start(spec=spec())["handle"]
        watch.handles()
        w.front.on_request = lambda method, path, when: "cut" if when == "before" and "/_ping" in path else None
        w.front.cut()
        assert watch.next()["kind"] == "lost"
        w.engine.kill_container(handle)
        w.engine.start_container(handle)  # as before: no listing could tell
        w.front.on_request = None
        seen = watch.until("changed", 20, handle)
        assert [event["kind"] for event in seen][0] == "synced", seen


@case
def streams_are_renewed_without_a_loss(w):
    with Watch(w, watch_span=2000) as watch:
        began = time.monotonic()
        handles = [w.driver.start(spec=spec())["handle"]]
        seen = []
        while time.monotonic() - began < 9:
            name = f"n{len(handles)}"
            handles.append(w.engine.create(name, "test/quick", {**LABELS, "opencti-connector-id": name}, NetworkMode="none"))
            seen += watch.events(1000, 0.1)
        seen += watch.events(1000, 2)
        kinds = {event["kind"] for event in seen}
        assert kinds == {"changed", "synced"}, kinds  # none was taken for an outage
        assert 3 <= sum(event["kind"] == "synced" for event in seen) <= 8, seen
        told = {event["handle"] for event in seen if event["kind"] == "changed"}
        assert told == set(handles), (len(told), len(handles))


@case
def clock_of_a_proxy_does_no_harm(w):
    """Proxies tell their own time: by this one every stream would have ended an hour ago, or in an hour."""
    for wrong in ("Thu, 01 Jan 1970 01:00:00 GMT", "Fri, 31 Dec 2100 23:59:59 GMT"):
        front = Front(w.engine.home + "/clock.sock", w.engine.socket)
        front.on_answer = lambda data: re.sub(rb"(?m)^Date: [^\r]*", b"Date: " + wrong.encode(), data)
        try:
            with Watch(w, front.address, watch_span=2000) as watch:
                made = w.engine.create("c1", "test/busy", {**LABELS, "opencti-connector-id": "c1"}, NetworkMode="none")
                watch.until("changed", 5, made)  # and others may be told again: a stream begins with a whole second
                if wrong.endswith("2100 23:59:59 GMT"):
                    watch.until("lost", 25)  # it did not end when it was told to: that might be a dead link, once
                    watch.until("synced")
                w.engine.remove(made)
                seen = watch.until("synced", 5) + watch.until("synced", 5)
                assert "lost" not in [event["kind"] for event in seen], seen
        finally:
            front.close()


@case
def silent_stream_is_noticed(w):
    """A front that passes nothing on, and cuts nothing: nobody hears from the engine any more."""
    front = Front(w.engine.home + "/silent.sock", w.engine.socket)
    try:
        with Watch(w, front.address, watch_span=2000) as watch:
            front.stall("/events", after_bytes=400)
            watch.until("synced")
            began = time.monotonic()
            w.engine.create("c1", "test/busy", LABELS, NetworkMode="none")  # of which it lets the beginning pass
            seen = watch.until("lost", 30)
            assert 15 <= time.monotonic() - began <= 20, seen
            front.limit = None
            assert "changed" in [event["kind"] for event in watch.until("synced", 20) + watch.events(1, 2)]
    finally:
        front.close()


@case
def watch_ends_when_it_is_told_to(w):
    def ends(watch):
        began = time.monotonic()
        watch.driver.must("unwatch")
        event = watch.until("ended")[-1]
        took = event["at_ms"] / 1000 - began
        assert event["word"] == "cancelled" and took < 0.2, (event, took)

    with Watch(w) as watch:
        ends(watch)  # in the stream
        watch.driver.must("watch", labels=LABELS)
        watch.until("synced")
        w.front.on_request = lambda method, path, when: "cut" if when == "before" else None
        w.front.cut()
        watch.until("lost")
        time.sleep(2)
        ends(watch)  # in its back-off
        w.front.on_request = lambda method, path, when: "hang" if when == "before" else None
        watch.driver.must("watch", labels=LABELS)
        time.sleep(0.5)
        ends(watch)  # while it asks for the time


@case
def engine_that_is_not_there_yet_is_waited_for(w):
    address = w.engine.home + "/later.sock"
    watch = Watch(w, address)
    assert watch.next()["kind"] == "lost"
    watch.quiet()
    front = Front(address, w.engine.socket)
    try:
        assert watch.until("synced")[0]["kind"] == "synced"
    finally:
        watch.driver.close()
        front.close()
