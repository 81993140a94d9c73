"""The main job: what the platform asks for runs on the engine, and what happens there is reported back."""

import time

from lib import check
from lib.case import case
from lib.wait import eventually, stays

SIDE_BY_SIDE = 2  # most of a case is waiting

SDLS = ("seed", "real")
# The published schema lacks fields that are asked for first; each costs one refused document.
MOST_INVALID = {"seed": 3, "real": 0}


def manager(world, sections=None):
    daemon = world.gantryd(sections=sections).start()
    eventually(lambda: world.platform.count("connectorsForManagers") >= 1, 15, "the first listing")
    return daemon


def at_home(world, count=3):
    """Other connectors that run, so that the loss of one is no sign of a broken listing."""
    others = [world.platform.add(f"other-{i}") for i in range(count)]
    return {connector: check.mark(world, connector) for connector in others}


@case(each=SDLS)
def added_connector_runs_with_its_environment(world):
    daemon = manager(world)
    plain = {"PLAIN": "value", "EQUALS": "a=b=c", "LINES": "first\nsecond\n\nlast", "EMPTY": "",
             "UNICODE": "grüße ☃ 🚀", "BLANKS": "  around  ", "QUOTES": "\"'`$HOME\\n", "LONG": "x" * 5000}
    secret = {"S_EQUALS": "p=q=r==", "S_LINES": "-----BEGIN X-----\nabc\n-----END X-----\n", "S_EMPTY": "", "S_UNICODE": "пароль"}
    configuration = [{"key": k, "value": v} for k, v in plain.items()]
    for number, (key, value) in enumerate(secret.items()):
        configuration += [{"key": f"{key}_{version}", "value": value, "secret": True, "version": version} for version in (1, 2)]
    # Given twice by platforms: their own value comes last, and the manager's word about its URL comes after all.
    configuration += [{"key": "CONNECTOR_NAME", "value": "a default"}, {"key": "OPENCTI_URL", "value": "http://elsewhere"}]
    connector = world.platform.add("Main Job", configuration=configuration)
    container = check.running(world, connector)
    hash_ = world.platform.hash(connector)

    expected = {entry["key"]: entry["value"] for entry in world.platform.state()["connectors"][connector]["configuration"]}
    for key, value in secret.items():
        expected[key + "_1"] = expected[key + "_2"] = value
    expected["OPENCTI_URL"] = world.platform.url
    expected["OPENCTI_CONFIG_HASH"] = hash_
    expected = {key: value.encode() for key, value in expected.items()}
    seen = check.environment(world, container)
    assert seen == expected, {k: (expected.get(k), seen.get(k)) for k in expected.keys() | seen.keys() if expected.get(k) != seen.get(k)}

    labels = container["Config"]["Labels"]
    wanted = {"opencti-manager": daemon.manager_id, "opencti-connector-id": connector, "opencti-platform": "opencti",
              "gantry.platform": "opencti", "gantry.hash": hash_}
    assert {key: labels.get(key) for key in wanted} == wanted, labels
    assert check.name_of(container) == "main-job", container["Name"]
    host = container["HostConfig"]
    assert host["RestartPolicy"]["Name"] not in ("", "no"), host["RestartPolicy"]
    assert host["LogConfig"]["Config"].get("max-size"), host["LogConfig"]

    check.reported(world, connector, "started")
    secrets = [value for value in secret.values() if value] + [open(daemon.home + "/token").read().strip()]
    assert not [value for value in secrets if value.splitlines()[0] in daemon.text()], "a secret is in the log"
    check.kept_the_protocol(world, MOST_INVALID[world.sdl])


@case(each=SDLS)
def stopping_stops_and_starting_starts_the_same_container(world):
    manager(world)
    connector = world.platform.add("stop-me")
    first = check.running(world, connector)
    check.reported(world, connector, "started")
    world.platform.request(connector, "stopping")
    check.stopped(world, connector)
    check.reported(world, connector, "stopped")
    stays(lambda: not check.stopped(world, connector)["State"] == "running", 2)
    world.platform.request(connector, "starting")
    again = check.running(world, connector)
    assert again["Id"] == first["Id"], "made a new container instead of starting the old one"
    check.reported(world, connector, "started")
    words = [s["status"] for s in world.platform.report(connector)["statuses"]]
    assert all(a != b for a, b in zip(words, words[1:])), f"a status was repeated: {words}"


@case(each=SDLS)
def changed_hash_replaces_the_container(world):
    manager(world)
    others = at_home(world, 2)
    connector = world.platform.add("change-me", configuration=[{"key": "ANSWER", "value": "41"}])
    old = check.running(world, connector)
    world.platform.patch(connector, configuration=[{"key": "ANSWER", "value": "42"}])
    new = check.running(world, connector, other_than=old["Id"], hash_=world.platform.hash(connector))
    assert check.environment(world, new)["ANSWER"] == b"42"
    # The name is the new one's once the old one is away.
    eventually(lambda: check.name_of(check.running(world, connector)) == "change-me", 15, "it takes the old name")
    assert len(world.engine.of_connector(connector)) == 1
    for other, before in others.items():
        check.untouched(world, other, before)
    check.kept_the_protocol(world, MOST_INVALID[world.sdl])


@case(each=SDLS)
def deleted_connector_is_removed(world):
    manager(world)
    others = at_home(world)
    connector = world.platform.add("delete-me")
    check.running(world, connector)
    halted = world.platform.add("delete-me-halted")
    check.running(world, halted)
    world.platform.request(halted, "stopping")
    check.stopped(world, halted)
    world.platform.delete(connector)
    check.gone(world, connector)
    world.platform.delete(halted)
    check.gone(world, halted)
    after = len(world.platform.report(connector)["logs_times"])
    time.sleep(3)
    assert len(world.platform.report(connector)["logs_times"]) == after, "logs are posted for a connector that is gone"
    for other, before in others.items():
        check.untouched(world, other, before)


@case(each=SDLS)
def connector_whose_first_wish_is_stopped_gets_no_container(world):
    manager(world)
    connector = world.platform.add("not-yet", requested="stopped")
    sentinel = world.platform.add("sentinel")
    check.running(world, sentinel)
    stays(lambda: not world.engine.of_connector(connector), 3, "no container")
    if world.sdl == "real":  # the published schema cannot say `stopped`: the wish is null there
        check.reported(world, connector, "stopped")
    world.platform.request(connector, "starting")
    check.running(world, connector)


@case(each=SDLS)
def value_sealed_for_another_key_blocks_that_connector_alone(world):
    daemon = manager(world)
    bad = [{"key": "GOOD_ONE", "value": "fine-secret-1", "secret": True},
           {"key": "BAD_ONE", "value": "lost-secret-2", "secret": True, "other": True}]
    connector = world.platform.add("blocked", configuration=bad)
    other = world.platform.add("free", configuration=[{"key": "GOOD_ONE", "value": "fine-secret-3", "secret": True}])
    check.running(world, other)
    check.logs_say(world, connector, "BAD_ONE")
    stays(lambda: not world.engine.of_connector(connector), 3, "no container of the blocked one")
    text = world.platform.logs_text(connector) + daemon.text()
    for value in ("fine-secret-1", "lost-secret-2", "fine-secret-3"):
        assert value not in text, f"{value} is in a log"
    # Mended on the platform, it runs.
    world.platform.patch(connector, configuration=[{"key": "BAD_ONE", "value": "found", "secret": True}])
    container = check.running(world, connector, timeout=60)
    assert check.environment(world, container)["BAD_ONE"] == b"found"


@case(each=SDLS)
def sealed_for_another_key_while_it_runs_keeps_the_old_container(world):
    manager(world)
    connector = world.platform.add("blocked-later", configuration=[{"key": "LATER_LOST", "value": "one", "secret": True}])
    before = check.mark(world, connector)
    world.platform.patch(connector, configuration=[{"key": "LATER_LOST", "value": "two", "secret": True, "other": True}])
    check.logs_say(world, connector, "LATER_LOST")
    check.stays_untouched(world, {connector: before}, 3)


@case(each=SDLS)
def status_logs_and_health_arrive(world):
    manager(world)
    connector = world.platform.add("reporter")
    container = check.running(world, connector)
    check.reported(world, connector, "started")
    check.logs_say(world, connector, "line 0", "line 3")
    assert "line 0\nline 1\nline 2" in world.platform.logs_text(connector)
    health = eventually(lambda: world.platform.report(connector)["health"], 10, "health arrives")
    assert health["restart_count"] == 0 and health["is_in_reboot_loop"] is False, health
    assert health["started_at"][:19] == container["State"]["StartedAt"][:19], (health, container["State"]["StartedAt"])
    count = len(world.platform.report(connector)["health_times"])
    eventually(lambda: len(world.platform.report(connector)["health_times"]) >= count + 3, 8, "health is repeated")
    assert len(world.platform.report(connector)["statuses"]) <= 2, world.platform.report(connector)["statuses"]
    check.kept_the_protocol(world, MOST_INVALID[world.sdl])


@case
def long_logs_are_a_bounded_tail(world):
    manager(world)
    world.engine.make_image("test/talker", command=["/bin/sh", "-c", "trap 'exit 0' TERM; i=0; while [ $i -lt 3000 ]; do echo number $i; i=$((i+1)); done; "
                            "head -c 20000 /dev/zero | tr '\\0' x; echo; printf 'bad\\377\\033[31mred\\000end\\n'; echo last; sleep 1000 & wait"])
    connector = world.platform.add("talker", "test/talker:latest")
    check.logs_say(world, connector, "last", timeout=30)
    logs = world.platform.report(connector)["logs"]
    text = "\n".join(logs)
    assert len(logs) <= 100 and len(text.encode()) <= 80000, (len(logs), len(text))
    assert max(len(line.encode()) for line in logs) <= 5000, "a line is too long"
    assert "\x1b" not in text and "\0" not in text, "control characters"


@case
def renamed_connector_is_replaced_under_its_new_name(world):
    manager(world)
    connector = world.platform.add("old-name")
    old = check.running(world, connector)
    world.platform.patch(connector, name="new-name")
    check.running(world, connector, other_than=old["Id"])
    eventually(lambda: check.name_of(check.running(world, connector)) == "new-name", 15, "it has its new name")


@case
def two_connectors_of_one_name_both_run(world):
    manager(world)
    one = world.platform.add("Same Name")
    two = world.platform.add("same-name")
    names = {check.name_of(check.running(world, c)): c for c in (one, two)}
    assert len(names) == 2, names
    marks = {c: check.mark(world, c) for c in (one, two)}
    check.stays_untouched(world, marks, 3)


@case
def foreign_container_of_that_name_is_left_alone(world):
    foreign = world.engine.create("taken", "test/busy")
    before = world.engine.inspect(foreign)["State"]["StartedAt"]
    manager(world)
    connector = world.platform.add("taken")
    name = check.name_of(check.running(world, connector))
    assert name == "taken-" + connector[:8], name
    after = world.engine.inspect(foreign)
    assert after["State"]["StartedAt"] == before and after["State"]["Running"]


@case
def other_version_or_forgotten_manager_is_registered_again(world):
    daemon = manager(world)
    eventually(lambda: world.platform.count("registerConnectorsManager") >= 1, 10)
    count = world.platform.count("registerConnectorsManager")
    world.platform.verb("version", version="7.260306.1")
    eventually(lambda: world.platform.count("registerConnectorsManager") > count, 15, "registered for the new version")
    world.platform.verb("forget")
    eventually(lambda: daemon.manager_id in world.platform.state()["managers"], 15, "registered after it was forgotten")
    sent = world.platform.state()["managers"][daemon.manager_id]["public_key"]
    assert "PUBLIC KEY" in sent and "PRIVATE" not in sent


@case
def crash_loop_is_told_in_health(world):
    manager(world)
    connector = world.platform.add("crasher", "test/crash:latest")
    other = world.platform.add("sane")
    before = check.mark(world, other)

    def loops():
        health = world.platform.report(connector)["health"]
        return health and health["is_in_reboot_loop"] and health["restart_count"] > 3
    eventually(loops, 60, "health says that it is in a loop")
    check.logs_say(world, connector, "about to fail")
    check.untouched(world, other, before)
    world.platform.request(connector, "stopping")
    check.stopped(world, connector)
    check.reported(world, connector, "stopped")


@case
def container_that_vanishes_is_made_again(world):
    manager(world)
    connector = world.platform.add("vanishing")
    first = check.running(world, connector)
    world.engine.kill_container(first["Id"])
    again = check.running(world, connector)
    assert again["Id"] == first["Id"]
    world.engine.remove(first["Id"])
    check.running(world, connector, other_than=first["Id"])
