"""One workload: how it starts, what it is given, how it ends.  By the plugin's operations."""

import time

from lib.wait import eventually, stays
from scene import case


def state_of(s, handle, *states, timeout=20):
    """Wait for one of these states; the status."""
    def probe():
        seen = s.driver.inspect(handle)
        assert seen["state"] in states, seen
        return seen
    return eventually(probe, timeout, f"state {states}", pause=0.1)


@case
def environment_arrives_as_it_was_given(s):
    env = {"PLAIN": "x", "EQUALS": "a=b=c", "EMPTY": "", "LINES": "one\ntwo\r\n\tthree\n\n", "UTF": "žluť 🐎",
           "QUOTES": "\"'\\ $HOME ${X} `id` %s", "BLANKS": "  around  "}
    seen = s.driver.start(spec=s.spec(env=env))
    assert seen["state"] == "running" and seen["name"] == s.name() and seen["hash"] == "h1", seen
    assert seen["started_ms"] > 0 and seen["labels"]["opencti-connector-id"] == s.name(), seen
    real = s.environment(seen["handle"], "PLAIN")
    wrong = {key: real.get(key) for key, value in env.items() if real.get(key) != value.encode()}
    assert not wrong, wrong


@case
def environment_of_a_mebibyte_arrives(s):
    env = {f"BIG_{i}": chr(ord("a") + i) * 116509 for i in range(9)}
    assert sum(len(k) + len(v) + 2 for k, v in env.items()) >= 1 << 20
    handle = s.driver.start(spec=s.spec(env=env))["handle"]
    real = s.environment(handle, "BIG_0")
    wrong = [key for key, value in env.items() if real.get(key) != value.encode()]
    assert not wrong, wrong


@case
def stop_is_polite_then_hard(s):
    polite = s.driver.start(spec=s.spec("polite"))["handle"]
    deaf = s.driver.start(spec=s.spec("deaf", "deaf", stop_grace_ms=2000))["handle"]
    eventually(lambda: s.driver.must("logs", handle=deaf)["lines"], 20, "it hears no TERM any more", pause=0.1)
    took = s.driver.must("stop", handle=polite, grace_ms=20000)["ms"]
    assert took < 8000, f"the polite one took {took} ms"
    took = s.driver.must("stop", handle=deaf, grace_ms=2000)["ms"]
    assert 2000 <= took < 12000, f"the deaf one took {took} ms"
    for handle in (polite, deaf):
        state_of(s, handle, "exited", "failed")
        assert not s.seen(handle)["running"]
        s.driver.must("stop", handle=handle)  # idempotent


@case
def exit_code_is_told(s):
    bad = s.driver.start(spec=s.spec("bad", "crash"), once=True)["handle"]
    good = s.driver.start(spec=s.spec("good", "quick"), once=True)["handle"]
    seen = state_of(s, bad, "failed")
    assert seen["exit_code"] == 5 and seen["finished_ms"] > 0, seen
    assert not seen.get("out_of_memory"), seen
    seen = state_of(s, good, "exited")
    assert seen["exit_code"] == 0, seen
    time.sleep(1)
    assert s.driver.inspect(bad)["state"] == "failed", "it was started again, though ONCE"


@case
def want_of_memory_is_told(s):
    handle = s.driver.start(spec=s.spec(image="hungry", settings={"memory": 32 << 20}), once=True)["handle"]
    seen = state_of(s, handle, "failed", timeout=30)
    assert seen["out_of_memory"], seen


@case
def crash_is_restarted_by_the_engine_until_it_is_told_to_stop(s):
    handle = s.driver.start(spec=s.spec(image="crash"))["handle"]
    eventually(lambda: s.driver.inspect(handle).get("restarts", 0) >= 2, 30, "it is restarted")
    s.driver.must("stop", handle=handle)
    seen = state_of(s, handle, "exited", "failed")
    time.sleep(1.5)
    after = s.driver.inspect(handle)
    assert after["state"] == seen["state"] and after.get("started_ms") == seen.get("started_ms"), (seen, after)


@case
def stopped_workload_starts_again(s):
    first = s.driver.start(spec=s.spec())
    s.driver.must("stop", handle=first["handle"], grace_ms=2000)
    state_of(s, first["handle"], "exited")
    again = s.driver.start(handle=first["handle"])
    assert (again["handle"], again["state"]) == (first["handle"], "running"), again
    pid = s.seen(first["handle"])["pid"]
    assert s.driver.start(handle=first["handle"])["state"] == "running", "starting what runs"
    assert s.seen(first["handle"])["pid"] == pid, "what ran was started anew"


@case
def remove_is_idempotent_and_unknown_is_not_found(s):
    handle = s.driver.start(spec=s.spec())["handle"]
    s.driver.must("remove", handle=handle)
    assert not s.own()
    s.driver.must("remove", handle=handle)
    s.driver.must("stop", handle=handle)
    for operation in ("inspect", "logs", "start"):
        s.driver.fails("not found", operation, handle=handle)
    s.driver.fails("not found", "start", handle=handle, spec=s.spec())
    assert not s.own()


@case
def first_start_beside_its_own_workload_makes_no_second(s):
    own = s.driver.start(spec=s.spec())["handle"]
    assert "already" in s.driver.fails("unavailable", "start", spec=s.spec())
    assert [w["handle"] for w in s.own()] == [own]


@case
def foreign_name_is_a_conflict_before_anything_changes(s):
    foreign = s.outside(s.name())
    before = s.seen(foreign)
    error = s.driver.fails("conflict", "start", spec=s.spec())
    assert s.name() in error, error
    own = s.driver.start(spec=s.spec("two"))["handle"]
    mark = s.seen(own)["pid"]
    s.driver.fails("conflict", "start", handle=own, spec=s.spec("two", name=s.name(), hash="h2"))
    assert s.seen(own)["pid"] == mark and [w["handle"] for w in s.own()] == [own]
    assert s.seen(foreign) == before


@case
def list_tells_own_ones_and_no_others(s):
    handles = {s.driver.start(spec=s.spec(word))["handle"] for word in ("one", "two")}
    s.outside(s.name("foreign"))
    s.outside(s.name("others"), labels={"opencti-manager": "another", "opencti-connector-id": s.name("one")})
    listed = s.driver.must("list", labels={"opencti-manager": s.manager})["statuses"]
    assert {item["handle"] for item in listed} == handles, listed
    assert all(item["hash"] == "h1" and item["state"] in ("running", "starting") for item in listed), listed
    one = s.driver.must("list", labels={"opencti-manager": s.manager, "opencti-connector-id": s.name("two")})["statuses"]
    assert [item["labels"]["opencti-connector-id"] for item in one] == [s.name("two")], one


@case
def failed_first_start_leaves_nothing(s):
    error = s.driver.fails("invalid", "start", spec=s.spec(image="nothing"))
    assert error, "no word"
    stays(lambda: not s.own(), 1)
