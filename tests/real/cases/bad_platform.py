"""Answers that a platform should not give: nothing is removed, it is said once, and it heals by itself."""

import collections
import time

from lib import check
from lib.case import case
from lib.front import ANSWERS, LIST
from lib.tcpfront import Front
from lib.wait import eventually

SIDE_BY_SIDE = 4  # most of a case is waiting that nothing happens

# Faults of the whole answer: the listing says nothing.
WHOLE = sorted([*ANSWERS, "truncated", "close_early", "reset", "hang", "partial", "empty_list"])
# Of these, the ones that differ in how a connection sees them.
EVERYWHERE = ("auth_required", "garbage", "hang", "html_502", "nothing", "reset", "status_429", "status_500", "truncated")
# Faults in one connector of the listing.
ONE = ("id_null", "id_absent", "image_null", "image_empty", "hash_null", "hash_absent", "status_null", "status_unknown",
       "configuration_null", "item_null", "twice")
# With these the listing still says what the other connectors should do.
OTHERS_ARE_SERVED = ("image_empty", "status_null", "status_unknown")


class Stage:
    """Two connectors that run, seen through a front that is still honest."""

    def __init__(self, world):
        self.world = world
        self.front = world.front()
        self.daemon = world.gantryd(url=self.front.url, sections={"platform opencti": {"list_timeout": "3s", "request_timeout": "2s"}})
        self.daemon.start()
        self.bad = world.platform.add("bad")
        self.good = world.platform.add("good")
        self.marks = {c: check.mark(world, c) for c in (self.bad, self.good)}
        for connector in self.marks:
            check.reported(world, connector, "started")
        self.said = len(self.daemon.complaints())

    def complaints(self):
        return self.daemon.complaints(self.said)

    def nothing_happens(self, seconds):
        check.stays_untouched(self.world, self.marks, seconds)
        assert self.daemon.running(), "gantryd ended"

    def still_reported(self):
        """Reports do not depend on the listing."""
        before = self.world.platform.state()["now"]
        eventually(lambda: (self.world.platform.report(self.good)["logs_times"] or [0])[-1] > before, 10, "logs still arrive")

    def recovers(self):
        self.front.clear()
        for connector, before in self.marks.items():
            self.world.platform.patch(connector, bump=True)
        for connector, before in self.marks.items():
            check.running(self.world, connector, 60, other_than=before[0], hash_=self.world.platform.hash(connector))

    def said_little(self, most):
        """Once for each subject (a connector, an operation), not once a cycle."""
        lines = self.complaints()
        same = collections.Counter(
            tuple(sorted((k, str(v)) for k, v in line.items() if k not in ("time", "ts", "took", "retry_in", "wait", "delay")))
            for line in lines)
        worst = same.most_common(1)
        assert len(lines) <= most, f"{len(lines)} complaints: {lines}"
        assert not worst or worst[0][1] <= 2, f"said {worst[0][1]} times: {worst[0][0]}"


@case(each=WHOLE)
def wrong_listing_changes_nothing(world):
    stage = Stage(world)
    stage.front.set(world.value, stage.bad, LIST)
    stage.nothing_happens(4)
    assert stage.front.hits >= (1 if world.value == "hang" else 2), f"asked only {stage.front.hits} times"
    assert stage.front.hits <= 10, f"asked {stage.front.hits} times in 4 s"
    assert stage.complaints(), "nothing was said about it"
    stage.said_little(3)
    if world.value != "empty_list":  # of what is not listed nothing is reported
        stage.still_reported()
    stage.recovers()


@case(each=EVERYWHERE)
def wrong_answers_to_everything_change_nothing(world):
    stage = Stage(world)
    stage.front.set(world.value, stage.bad)
    stage.nothing_happens(4)
    # One for each kind of call at most, and for the connectors that cannot report.
    stage.said_little(10)
    stage.recovers()


@case(each=ONE)
def one_wrong_connector_holds_up_nobody(world):
    stage = Stage(world)
    stage.front.set(world.value, stage.bad, LIST)
    stage.nothing_happens(4)
    stage.said_little(4)
    if world.value not in ("configuration_null", "image_empty"):  # without a change nobody asks for these
        assert stage.complaints(), "nothing was said about it"
    stage.still_reported()
    if world.value in OTHERS_ARE_SERVED:
        world.platform.patch(stage.good, bump=True)
        check.running(world, stage.good, 20, other_than=stage.marks[stage.good][0])
        check.untouched(world, stage.bad, stage.marks[stage.bad])
        stage.marks[stage.good] = check.mark(world, stage.good)
    stage.recovers()


@case(each=("image_null", "image_empty", "configuration_null"))
def connector_that_cannot_be_deployed_keeps_what_runs(world):
    stage = Stage(world)
    stage.front.set(world.value, stage.bad, LIST)
    world.platform.patch(stage.bad, bump=True)
    stage.nothing_happens(5)
    stage.said_little(4)
    if world.value == "image_empty":
        check.logs_say(world, stage.bad, "image")
    stage.recovers()


@case
def reset_of_a_reused_connection_is_not_even_noticed(world):
    stage = Stage(world)
    stage.front.set("reset_reused")
    time.sleep(6)
    assert stage.front.hits > 3
    assert not stage.complaints(), stage.complaints()
    world.platform.patch(stage.good, bump=True)
    check.running(world, stage.good, 20, other_than=stage.marks[stage.good][0])


@case
def platform_that_is_away_and_comes_back(world):
    stage = Stage(world)
    url = stage.front.url
    stage.front.stop()
    stage.nothing_happens(8)
    stage.said_little(6)
    upstream = stage.front.upstream
    again = Front(("127.0.0.1", int(url.rsplit(":", 1)[1])), (upstream.hostname, upstream.port))
    world.closing.append(again.close)
    stage.recovers()


@case
def empty_first_listing_removes_nothing(world):
    stage = Stage(world)
    stage.daemon.kill()
    stage.front.set("empty_list")
    stage.daemon.start()
    stage.nothing_happens(8)
    stage.recovers()


@case(each=("AUTH_REQUIRED", "FORBIDDEN_ACCESS", "LOCK_ERROR", "UNSUPPORTED_ERROR", "INTERNAL_SERVER_ERROR"))
def refused_listing_is_said_once(world):
    stage = Stage(world)
    world.platform.verb("error", field=LIST, code=world.value, message="Refused by the test")
    stage.nothing_happens(4)
    said = stage.complaints()
    assert said and any(world.value in str(line) or "Refused by the test" in str(line) for line in said), said
    stage.said_little(3)
    world.platform.verb("error", field=LIST)
    stage.recovers()


@case
def second_manager_is_refused_by_the_platform_and_touches_nothing(world):
    first = world.gantryd().start()
    connector = world.platform.add("of-the-first")
    before = check.mark(world, connector)
    world.platform.verb("single", on=False)
    second = world.gantryd()  # made known, then forgotten: only the first is left
    world.platform.verb("forget")
    eventually(lambda: first.manager_id in world.platform.state()["managers"], 15, "the first registers again")
    world.platform.verb("single", on=True)
    second.start()
    eventually(lambda: any("Only one connector manager" in str(line) for line in second.complaints()), 15, "it says why")
    check.stays_untouched(world, {connector: before}, 5)
    assert world.platform.state()["failures"].get("UNSUPPORTED_ERROR", 0) <= 8, "it registers without a pause"
    assert second.running()
