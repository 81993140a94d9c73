"""The rows of the state table (docs of core/reconcile): gantryd, by what the platform wishes and what is there."""

import contextlib

from lib.wait import eventually, stays
from scene import case, mark_of


def runs(s, word="one", image="busy"):
    """A connector that runs and is reported; its id and mark."""
    connector = s.add(word, image)
    return connector, s.runs(connector)[connector]


@contextlib.contextmanager
def heard(s, connector, state):
    """Wait, after what is done within, until gantryd has heard that the connector is in this state."""
    begun = len(s.daemon.lines())
    yield
    eventually(lambda: any(line.get("connector") == connector and line.get("state") == state for line in s.daemon.lines()[begun:]),
               20, f"it hears of the state {state}", pause=0.2)


@case
def absent_and_wanted_is_made(s):
    connector = s.add(configuration=[{"key": "ANSWER", "value": "a=b\nc"}, {"key": "SEALED", "value": "s3cret ☃", "secret": True}])
    found = s.running(connector, hash_=s.platform.hash(connector))
    assert found["name"] == s.name(), found["name"]
    real = s.environment(found["handle"], "ANSWER")
    assert (real["ANSWER"], real["SEALED"]) == (b"a=b\nc", "s3cret ☃".encode()), real
    s.reported(connector, "started")
    assert "s3cret" not in s.daemon.text()
    s.logs_say(connector, "line 0")


@case
def running_as_wished_is_left_alone(s):
    connector, mark = runs(s)
    s.stays({connector: mark}, 5)
    assert [item["status"] for item in s.platform.report(connector)["statuses"]][-1] == "started"


@case
def running_and_not_wanted_is_stopped_and_started_again(s):
    connector, mark = runs(s)
    s.platform.request(connector, "stopping")
    left = s.stopped(connector)
    assert left["handle"] == mark[0], "another one"
    s.reported(connector, "stopped")
    stays(lambda: not s.stopped(connector)["running"], 2, pause=0.3)  # HALT of what has ended: nothing
    s.platform.request(connector, "starting")
    again = s.running(connector)
    assert again["handle"] == mark[0] and again["pid"] != mark[1], (mark, again)
    s.reported(connector, "started")


@case
def changed_is_replaced(s):
    connector, mark = runs(s)
    s.platform.patch(connector, configuration=[{"key": "ANSWER", "value": "42"}])
    new = s.running(connector, other_than=mark, hash_=s.platform.hash(connector))
    assert s.environment(new["handle"], "ANSWER")["ANSWER"] == b"42"
    assert (new["handle"] == mark[0]) == s.backend.replaces_in_place
    eventually(lambda: s.running(connector)["name"] == s.name(), 15, "it has the name", pause=0.2)
    s.stays({connector: s.mark(connector)}, 2)


@case
def changed_while_it_is_stopped_is_replaced_when_wanted(s):
    connector, mark = runs(s)
    s.platform.request(connector, "stopping")
    s.stopped(connector)
    s.platform.patch(connector, bump=True)
    stays(lambda: not s.stopped(connector)["running"], 2, pause=0.3)
    s.platform.request(connector, "starting")
    s.running(connector, other_than=mark, hash_=s.platform.hash(connector))


@case
def not_wanted_and_absent_is_not_made(s):
    connector = s.add(requested="stopped")
    s.reported(connector, "stopped")
    stays(lambda: not s.of(connector), 3, pause=0.3)
    s.platform.request(connector, "starting")
    s.running(connector)


@case
def created_and_never_started_is_started(s):
    connector = s.add(requested="stopped")
    s.reported(connector, "stopped")
    with heard(s, connector, "created"):
        handle = s.outside(s.name(), labels=s.daemon_labels(connector, s.platform.hash(connector)), start=False)
    s.platform.request(connector, "starting")
    assert s.running(connector)["handle"] == handle, "another one was made"


def last_line(s, connector):
    """The number of the newest line that the platform has of "busy"."""
    numbers = [int(line.split()[-1]) for line in s.platform.report(connector)["logs"] or [] if line[-1:].isdigit()]
    return max(numbers, default=-1)


@case
def paused_and_wanted_runs_on(s):
    connector, mark = runs(s)
    s.logs_say(connector, "line 1")
    s.backend.pause(mark[0])
    before = last_line(s, connector)
    eventually(lambda: last_line(s, connector) >= before + 4, 20, "it writes on", pause=0.2)
    assert s.mark(connector) == mark, "it was started anew"
    s.reported(connector, "started")


@case
def paused_and_not_wanted_is_stopped(s):
    connector, mark = runs(s)
    s.platform.patch(connector, requested="wobbling")  # so that nobody lets it run on
    eventually(lambda: said_of(s, connector), 15, "that nobody knows this wish")
    s.backend.pause(mark[0])
    s.platform.request(connector, "stopping")
    assert s.stopped(connector)["handle"] == mark[0]
    s.reported(connector, "stopped")


def said_of(s, connector):
    """What gantryd complained of itself."""
    return [line for line in s.daemon.complaints() if connector in str(line) and line["event"] != "plugin message"]


@case
def unlisted_is_stopped_and_removed(s):
    runs(s, "other")
    running, _ = runs(s, "running")
    halted, _ = runs(s, "halted")
    s.platform.request(halted, "stopping")
    s.stopped(halted)
    s.platform.delete(running)
    s.gone(running)
    s.platform.delete(halted)
    s.gone(halted)


@case
def several_of_one_connector_become_one(s):
    connector, mark = runs(s)
    s.outside(s.name("more"), labels=s.daemon_labels(connector, "0ld0ld00"), start=False)

    def one():
        assert [mark_of(w) for w in s.of(connector)] == [mark], s.of(connector)
        return True
    eventually(one, 30, "only the wanted one is left", pause=0.2)
    s.stays({connector: mark}, 2)


@case
def unreadable_hash_is_left_as_it_is(s):
    connector = s.add(requested="stopped")
    s.reported(connector, "stopped")
    handle = s.outside(s.name(), labels=s.daemon_labels(connector, None))
    assert s.stopped(connector)["handle"] == handle  # HALT does not ask for the hash
    s.platform.request(connector, "starting")
    eventually(lambda: any("no hash" in str(line) for line in said_of(s, connector)), 20, "it says why", pause=0.2)
    stays(lambda: [(w["handle"], w["running"]) for w in s.of(connector)] == [(handle, False)], 2, pause=0.3)


@case
def unknown_wish_is_left_alone_and_said_once(s):
    connector, mark = runs(s)
    s.platform.patch(connector, requested="wobbling")
    s.stays({connector: mark}, 4)
    said = [line for line in said_of(s, connector) if line["event"] == "connector needs attention"]
    assert len(said) == 1, said_of(s, connector)
    s.platform.request(connector, "stopping")
    s.stopped(connector)


@case
def blocked_keeps_what_runs(s):
    connector, mark = runs(s)
    s.platform.patch(connector, image="127.0.0.1:1/not/there:1")
    s.logs_say(connector, "127.0.0.1:1/not/there:1")
    s.stays({connector: mark}, 3)
    assert s.platform.status(connector) == "started"
    s.platform.patch(connector, image=s.backend.image("busy"), bump=True)
    s.running(connector, other_than=mark, hash_=s.platform.hash(connector))


@case
def crash_loop_is_said_and_ended_by_a_newer_wish(s):
    connector = s.add(image="crash")
    eventually(lambda: s.health(connector).get("is_in_reboot_loop"), 60, "health says loop", pause=0.3)
    s.logs_say(connector, "about to fail", "[gantry] exited with code 5")
    s.platform.patch(connector, image=s.backend.image("busy"), bump=True)
    s.running(connector, 30, hash_=s.platform.hash(connector))
    s.reported(connector, "started")
    eventually(lambda: s.health(connector)["is_in_reboot_loop"] is False, 20, "the loop has ended", pause=0.3)


@case
def crash_loop_ends_when_it_is_not_wanted(s):
    connector = s.add(image="crash")
    eventually(lambda: s.health(connector).get("restart_count", 0) >= 2, 60, "it is restarted", pause=0.3)
    s.platform.request(connector, "stopping")
    s.reported(connector, "stopped")  # which it may be between two starts already
    s.settled([connector])
    mark = mark_of(s.stopped(connector))
    stays(lambda: [mark_of(w) for w in s.of(connector)] == [mark], 8, pause=0.2)


@case
def killed_is_told_and_runs_again(s):
    connector, mark = runs(s)
    s.backend.kill(mark[0])
    again = s.running(connector, other_than=mark)
    assert again["handle"] == mark[0], "another one was made"
    # With its code, unless the runtime was so fast that nobody saw it down.
    s.logs_say(connector, "[gantry] ", "(restart 1)")
    eventually(lambda: s.health(connector).get("restart_count") == 1, 15, "health counts it", pause=0.2)
    s.reported(connector, "started")


@case
def removed_behind_our_back_is_made_anew(s):
    connector, mark = runs(s)
    s.backend.remove(mark[0])
    s.running(connector, other_than=mark, hash_=s.platform.hash(connector))


def pretends(s, state):
    """A connector that runs, of which the engine says that it is in another state, and gantryd has heard it."""
    connector, mark = runs(s)
    with heard(s, connector, "absent" if state == "removing" else state):
        s.backend.pretend(mark[0], state)
        s.backend.cut_streams()  # after which it lists
    return connector, mark


@case(alone=True)
def starting_counts_as_started(s):
    connector, mark = pretends(s, "starting")
    s.stays({connector: mark}, 2)
    assert [item["status"] for item in s.platform.report(connector)["statuses"]][-1] == "started"


@case(alone=True)
def dead_is_removed_and_made_anew(s):
    connector, mark = pretends(s, "dead")
    assert s.running(connector, other_than=mark)["handle"] != mark[0]


@case(alone=True)
def stopping_is_waited_for(s):
    connector, mark = pretends(s, "stopping")
    s.platform.patch(connector, bump=True)
    s.stays({connector: mark}, 3)
    s.backend.honest()
    s.running(connector, other_than=mark, hash_=s.platform.hash(connector))


@case(alone=True)
def being_removed_counts_for_nothing(s):
    """It may be so for ever: a new one is made beside it, and it is left to the engine."""
    connector, mark = pretends(s, "removing")
    found = eventually(lambda: [w for w in s.of(connector) if w["handle"] != mark[0] and w["running"]], 20, "a new one runs")
    assert len(found) == 1 and mark in [mark_of(w) for w in s.of(connector)], s.of(connector)
