"""What a listing may take away (S3), and what two managers or two platforms of one engine may touch (S2)."""

from lib import check
from lib.case import case
from lib.wait import eventually, stays

SIDE_BY_SIDE = 2  # most of a case is waiting

LISTING = "connectorsForManagers"


def listings(world):
    return world.platform.count(LISTING)


def after_listings(world, count):
    """Wait for so many more listings that were asked for from now on."""
    until = listings(world) + count
    eventually(lambda: listings(world) >= until, 40, f"{count} more listings")


@case
def emptied_list_removes_nothing_until_the_operator_says_so(world):
    daemon = world.gantryd()
    connectors = [world.platform.add(f"vanishing-{i}") for i in range(5)]
    daemon.start()
    marks = {connector: check.mark(world, connector) for connector in connectors}
    for connector in connectors:
        world.platform.delete(connector)
    after_listings(world, 12)
    check.stays_untouched(world, marks, 1)
    assert "--confirm-removals" in daemon.tail(2000), "the log says what to do"
    daemon.terminate()
    daemon.start()  # neither a restart nor a plain --once is the operator's word
    after_listings(world, 8)
    daemon.terminate()
    daemon.run("--once")
    check.stays_untouched(world, marks, 1)
    assert daemon.run("--once", "--confirm-removals").returncode == 0
    for connector in connectors:
        check.gone(world, connector, 10)


@case
def list_that_was_empty_for_a_while_changes_nothing(world):
    front = world.front()
    daemon = world.gantryd(url=front.url)
    connectors = [world.platform.add(f"flaky-{i}") for i in range(5)]
    daemon.start()
    marks = {connector: check.mark(world, connector) for connector in connectors}
    front.set("empty_list")
    after_listings(world, 6)
    front.clear()
    after_listings(world, 4)
    check.stays_untouched(world, marks, 2)


@case
def one_stopped_connector_is_removed_at_the_second_listing(world):
    daemon = world.gantryd(sections={"manager": {"interval": "4s"}})
    kept = [world.platform.add(f"kept-{i}") for i in range(2)]
    leaving = world.platform.add("leaving")
    daemon.start()
    marks = {connector: check.mark(world, connector) for connector in kept}
    check.running(world, leaving)
    world.platform.request(leaving, "stopping")
    check.stopped(world, leaving)
    at = listings(world)
    eventually(lambda: listings(world) > at, 20, "a listing, so that the next one is a period away")
    world.platform.delete(leaving)
    at = listings(world)
    eventually(lambda: listings(world) > at, 20, "the first listing without it")
    stays(lambda: bool(world.engine.of_connector(leaving)) or listings(world) > at + 1, 3)
    check.gone(world, leaving, 20)
    assert listings(world) <= at + 3, "it was removed at the second listing, not later"
    check.stays_untouched(world, marks, 1)


@case
def two_platforms_of_one_manager_share_an_engine_and_ids(world):
    seed = world.platform_of("seed")
    daemon = world.gantryd(sections={
        "platform second": {"kind": "opencti", "url": seed.url, "token": None, "logs_interval": "1s", "health_interval": "1s"}})
    daemon.sections["platform second"]["token"] = f"file:{daemon.home}/token"
    daemon.write_config()
    seed.knows_manager(daemon.manager_id, daemon.public_key)
    mine = world.platform.add("of-the-first")
    theirs = seed.add("of-the-second", id=mine)
    daemon.start()

    def of(platform):
        found = [c for c in world.engine.of_connector(mine) if c["Labels"].get("gantry.platform") == platform]
        assert len(found) == 1 and found[0]["State"] == "running", [(c["Names"], c["State"]) for c in found]
        return found[0]["Id"]
    first = eventually(lambda: of("opencti"), 30, "the first's runs")
    second = eventually(lambda: of("second"), 30, "the second's runs")
    assert theirs == mine and first != second
    seed.patch(theirs, bump=True)
    eventually(lambda: of("second") != second, 30, "the second's is replaced")
    assert of("opencti") == first, "the first's is not"
    seed.request(theirs, "stopping")
    eventually(lambda: seed.status(theirs) == "stopped", 20)
    stays(lambda: of("opencti") == first, 3)
    assert world.platform.status(mine) == "started"
