"""Containers that XTM Composer made are taken over as they are, and nobody else's are touched."""

from lib import check
from lib.case import case
from lib.wait import eventually, stays

SIDE_BY_SIDE = 2  # most of a case is waiting


def composer(world, manager_id, connector, name, hash_, start=True, platform="opencti"):
    """As XTM Composer makes them: its labels, the hash in the environment, no restart policy."""
    labels = {"opencti-manager": manager_id, "opencti-connector-id": connector}
    if platform:
        labels["opencti-platform"] = platform
    return world.engine.create(name, "test/busy:latest", labels,
                               [f"CONNECTOR_ID={connector}", f"OPENCTI_URL={world.platform.url}", f"OPENCTI_CONFIG_HASH={hash_}"], start=start)


def sight(world, container):
    seen = world.engine.inspect(container)
    return seen["Id"], seen["State"]["StartedAt"]


@case(each=("opencti", "unlabelled"))
def container_of_xtm_composer_is_adopted_unrestarted(world):
    daemon = world.gantryd()
    connector = world.platform.add("Adopted One")
    made = composer(world, daemon.manager_id, connector, "adopted-one", world.platform.hash(connector),
                    platform="opencti" if world.value == "opencti" else None)
    before = sight(world, made)
    daemon.start()
    check.reported(world, connector, "started")
    eventually(lambda: world.platform.report(connector)["health"] and world.platform.report(connector)["logs"], 15, "it is reported")
    check.stays_untouched(world, {connector: before}, 4)
    # From now on it is cared for: a new hash replaces it.
    world.platform.patch(connector, bump=True)
    check.running(world, connector, other_than=before[0], hash_=world.platform.hash(connector))
    eventually(lambda: check.name_of(check.running(world, connector)) == "adopted-one", 15)


@case
def stopped_container_of_xtm_composer_is_started_not_replaced(world):
    daemon = world.gantryd()
    connector = world.platform.add("adopted-two")
    made = composer(world, daemon.manager_id, connector, "adopted-two", world.platform.hash(connector), start=False)
    daemon.start()
    assert check.running(world, connector)["Id"] == made


@case
def container_of_a_deleted_connector_is_removed(world):
    daemon = world.gantryd()
    others = [world.platform.add(f"kept-{i}") for i in range(3)]
    for number, other in enumerate(others):
        composer(world, daemon.manager_id, other, f"kept-{number}", world.platform.hash(other))
    orphan = composer(world, daemon.manager_id, "no-longer-listed", "orphan", "12345678")
    marks = {other: check.mark(world, other) for other in others}
    daemon.start()
    check.gone(world, "no-longer-listed", 20)
    assert orphan not in [c["Id"] for c in world.engine.containers()]
    for other, before in marks.items():
        check.untouched(world, other, before)


@case
def unlabelled_orphan_is_told_and_never_removed(world):
    daemon = world.gantryd()
    others = [world.platform.add(f"kept-{i}") for i in range(3)]
    orphan = composer(world, daemon.manager_id, "whose-is-it", "whose", "12345678", platform=None)
    before = sight(world, orphan)
    daemon.start()
    for other in others:
        check.running(world, other)
    stays(lambda: sight(world, orphan) == before, 5)


@case
def strangers_are_never_touched(world):
    daemon = world.gantryd()
    connector = world.platform.add("own")
    made = [
        composer(world, "another-manager", connector, "of-another-manager", "87654321"),
        composer(world, "another-manager", "not-listed", "also-of-another", "87654321"),
        world.engine.create("without-labels", "test/busy"),
        world.engine.create("half-labelled", "test/busy", {"opencti-connector-id": connector}),
        world.engine.create("no-connector", "test/busy", {"opencti-manager": daemon.manager_id}),
        composer(world, daemon.manager_id, "aev", "of-another-platform", "87654321", platform="openaev"),
    ]
    before = [sight(world, container) for container in made]
    daemon.start()

    def own():
        found = [c for c in world.engine.of_connector(connector) if c["Labels"].get("opencti-manager") == daemon.manager_id]
        return len(found) == 1 and found[0]["State"] == "running"
    eventually(own, 30, "its own runs")
    world.platform.request(connector, "stopping")
    eventually(lambda: not own(), 30, "its own is stopped")
    world.platform.delete(connector)
    daemon.terminate()
    done = daemon.run("--down")
    assert done.returncode == 0, done
    assert [sight(world, container) for container in made] == before
    assert all(world.engine.inspect(container)["State"]["Running"] for container in made)


@case
def two_managers_on_one_engine_leave_each_other_alone(world):
    one, other = world.gantryd(), None
    world.platform.verb("single", on=False)
    seed = world.platform_of("seed")
    one.start()
    mine = world.platform.add("shared-name")
    before = check.mark(world, mine)
    other = world.gantryd(url=seed.url)
    seed.knows_manager(other.manager_id, other.public_key)
    other.start()
    theirs = seed.add("shared-name")
    check.running(world, theirs)
    check.stays_untouched(world, {mine: before}, 4)
    other.terminate()
    assert other.run("--down").returncode == 0
    check.gone(world, theirs, 5)
    check.untouched(world, mine, before)


@case
def same_connector_on_two_platforms_runs_twice(world):
    """A platform that was restored from another's backup has its ids and names; all but gantry.platform is the same."""
    second = world.platform_of("seed")
    daemon = world.gantryd(sections={"platform second": {"kind": "opencti", "url": second.url, "list_timeout": "10s"}})
    daemon.sections["platform second"]["token"] = daemon.sections["platform opencti"]["token"]
    daemon.write_config()
    second.knows_manager(daemon.manager_id, daemon.public_key)
    one = "7d3f0000-0000-4000-8000-000000000001"
    for platform in (world.platform, second):
        platform.add("Twice There", id=one)
    daemon.start()

    def of(name):
        found = [c for c in world.engine.of_connector(one) if c["Labels"]["gantry.platform"] == name]
        assert len(found) == 1 and found[0]["State"] == "running", [(c["Names"], c["State"]) for c in found]
        return found[0]

    def both():
        return {name: of(name) for name in ("opencti", "second")}
    before = eventually(both, 20, "both run")
    for platform in (world.platform, second):
        platform.patch(one, bump=True)

    def replaced():
        after = both()
        assert all(after[name]["Id"] != before[name]["Id"] for name in after), "not replaced yet"
        names = [c["Names"][0] for c in after.values()]
        assert not [n for n in names if "-new-" in n], names
        return True
    eventually(replaced, 30, "both are replaced, and have their names")
    assert not [line for line in daemon.complaints() if "action failed" in str(line)], daemon.complaints()
