"""The engine refuses, is slow, goes and comes back: an error is never read as absence.  Each case is alone."""

import os
import time

from lib.wait import eventually, stays
from scene import case

STRUCK = b'{"message":"struck by the test"}'
OPERATIONS = ("inspect", "logs", "stop", "remove")


@case(alone=True)
def refusals_of_the_engine_are_told_apart(s):
    handle = s.driver.start(spec=s.spec())["handle"]
    labels = {"opencti-manager": s.manager}
    for status, word in ((401, "denied"), (403, "denied"), (500, "unavailable"), (502, "unavailable"), (404, "unavailable")):
        s.backend.answer(status, STRUCK if status != 404 else b"404 page not found")
        text = s.driver.fails(word, "list", labels=labels)
        assert status == 404 or "struck by the test" in text, text
        for operation in OPERATIONS:
            answer = s.driver.call(operation, handle=handle)
            assert answer["word"] == word, (status, operation, answer)
        answer = s.driver.call("start", spec=s.spec("two"))
        assert answer["word"] == word, (status, "start", answer)
    s.backend.honest()
    assert [w["handle"] for w in s.own() if w["running"]] == [handle], s.own()
    assert s.driver.inspect(handle)["state"] == "running"


@case(alone=True)
def answer_that_is_no_answer_is_an_error(s):
    handle = s.driver.start(spec=s.spec())["handle"]
    for body in (b"", b"null", b"{}", b'[{"Id":', b"<html>Welcome to nginx!</html>"):
        s.backend.answer(200, body, of="list")
        answer = s.driver.call("list", labels={"opencti-manager": s.manager})
        assert answer["code"] < 0 and not answer["statuses"], (body, answer)
        s.backend.answer(200, body, of="inspect")
        answer = s.driver.call("inspect", handle=handle)
        assert answer["code"] < 0 and answer["word"] != "not found", (body, answer)


@case(alone=True)
def engine_that_hangs_ends_at_the_deadline(s):
    handle = s.driver.start(spec=s.spec())["handle"]
    s.backend.slow(60)
    began = time.monotonic()
    s.driver.fails("timed out", "list", labels={"opencti-manager": s.manager}, timeout_ms=700)
    s.driver.fails("timed out", "inspect", handle=handle, timeout_ms=700)
    assert time.monotonic() - began < 6


def alive(pids):
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids), pids
    return True


@case(alone=True)
def engine_that_fails_changes_nothing(s):
    """State `unknown`, and S1: what cannot be listed is not absent."""
    connectors = [s.add(str(i)) for i in range(3)]
    marks = s.runs(*connectors)
    for status, body in ((500, STRUCK), (404, STRUCK), (200, b"[]x")):
        s.backend.answer(status, body)
        s.backend.cut_streams()
        s.stays(marks, 1.5)
        assert [s.platform.status(connector) for connector in connectors] == ["started"] * 3
    s.backend.honest()
    s.stays(marks, 2)
    s.platform.request(connectors[0], "stopping")
    s.stopped(connectors[0])


@case(alone=True)
def engine_that_is_down_loses_nothing_and_comes_back(s):
    kept, stopped, changed = s.add("kept"), s.add("stopped"), s.add("changed")
    marks = s.runs(kept, stopped, changed)
    s.backend.down()
    s.platform.request(stopped, "stopping")
    s.platform.patch(changed, bump=True)
    late = s.add("late")
    stays(lambda: alive([pid for _, pid in marks.values()]), 3)
    assert [s.platform.status(connector) for connector in marks] == ["started"] * 3
    s.backend.up()
    s.stopped(stopped)
    s.running(changed, other_than=marks[changed], hash_=s.platform.hash(changed))
    s.running(late)
    s.stays({kept: marks[kept], late: s.mark(late)}, 2)


@case(alone=True)
def engine_that_is_slow_makes_nothing_twice(s):
    connectors = [s.add(str(i)) for i in range(3)]
    marks = s.runs(*connectors)
    s.backend.slow(0.5)
    late = s.add("late")
    s.platform.request(connectors[0], "stopping")
    s.platform.patch(connectors[1], bump=True)
    most = []

    def done():
        most.append(max(len(s.of(connector)) for connector in (connectors[0], connectors[2], late)))
        found = s.of(connectors[1])
        assert len(found) == 1 and found[0]["running"], "the changed one is not replaced yet"
        assert found[0]["labels"]["gantry.hash"] == s.platform.hash(connectors[1]), "likewise"
        assert s.of(late) and s.of(late)[0]["running"] and not s.of(connectors[0])[0]["running"], "not yet as wished"
        return True
    eventually(done, 60, "all is as wished, though slowly", pause=0.2)
    assert max(most) == 1, "something was made twice"
    s.backend.honest()
    s.stays({connectors[2]: marks[connectors[2]], late: s.mark(late)}, 2)


@case(alone=True)
def broken_event_stream_is_followed_again_and_nothing_is_missed(s):
    """The intervals are long: only the events, or the listing after a new stream, can tell."""
    daemon = s.own_daemon(manager={"interval": "60s"}, **{"platform opencti": {"logs_interval": "60s", "health_interval": "60s"}})
    killed, removed, kept = (s.add(word) for word in ("killed", "removed", "kept"))
    daemon.start()
    marks = s.runs(killed, removed, kept)
    for _ in range(3):
        s.backend.cut_streams()
        s.backend.kill(s.mark(killed)[0])
        s.backend.remove(s.mark(removed)[0])
        for connector in (killed, removed):
            marks[connector] = eventually(lambda: restarted(s, connector, marks[connector]), 20, "it runs anew", pause=0.1)
    s.stays({kept: marks[kept]}, 1)


def restarted(s, connector, before):
    now = s.mark(connector)
    assert now[1] != before[1], "still the old one"
    return now
