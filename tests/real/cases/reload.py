"""SIGHUP: settings that are good, wrong, or need a restart; and what is waited for, or noticed at once."""

import os
import signal
import time

from lib import check
from lib.case import case
from lib.folder import put
from lib.gantryd import rsa_key
from lib.wait import eventually, stays

SIDE_BY_SIDE = 2  # most of a case is waiting


def reload(daemon, event="settings reloaded", within=5):
    """Send SIGHUP, and wait for how it went; the log's lines since."""
    before = len(daemon.lines())
    daemon.process.send_signal(signal.SIGHUP)

    def ended():
        since = daemon.lines(since=before)
        return since if any(line["event"].startswith(event) for line in since) else None
    return eventually(ended, within, f"the log says {event!r}")


def refused(daemon):
    """The problems of a reload that is refused."""
    lines = reload(daemon, "settings not reloaded")
    return [line["problem"] for line in lines if line["event"] == "settings problem"]


def change(daemon, section, **keys):
    daemon.sections.setdefault(section, {}).update(keys)
    daemon.write_config()


def lists(world):
    return world.platform.count("connectorsForManagers")


@case
def the_same_settings_change_nothing(world):
    daemon = world.gantryd(sections={"manager": {"interval": "2s"}}).start()
    marks = {c: check.mark(world, c) for c in [world.platform.add(f"same-{i}") for i in range(3)]}
    for connector in marks:
        check.reported(world, connector, "started")
    statuses = world.platform.count("updateConnectorCurrentStatus")
    before, began = lists(world), time.monotonic()
    for _ in range(20):
        reload(daemon)
    check.stays_untouched(world, marks, 4)
    most = (time.monotonic() - began) / 2 + 2
    assert lists(world) - before <= most, f"{lists(world) - before} listings, {most:.1f} are usual"
    assert world.platform.count("updateConnectorCurrentStatus") == statuses
    assert world.platform.count("registerConnectorsManager") == 1


@case
def a_pace_counts_at_once_in_both_directions(world):
    daemon = world.gantryd(sections={"manager": {"interval": "60s"}}).start()
    first = world.platform.add("first")
    check.running(world, first)
    change(daemon, "manager", interval="200ms")
    reload(daemon)
    before = lists(world)
    eventually(lambda: lists(world) >= before + 5, 5, "listings every 200 ms")
    change(daemon, "manager", interval="60s")
    reload(daemon)
    before = lists(world)
    stays(lambda: lists(world) <= before + 1, 3)


@case
def a_token_and_a_log_are_taken_over(world):
    daemon = world.gantryd()
    good = open(daemon.home + "/token", encoding="ascii").read()
    daemon.write("token", "not-the-right-one\n")
    daemon.start()
    connector = world.platform.add("waits-for-a-token")
    eventually(lambda: any("DENIED" in str(line.get("code")).upper() for line in daemon.complaints()), 10, "it is refused")
    daemon.write("token", good)  # the file of the settings is the same, what it names is not
    reload(daemon)
    check.running(world, connector, timeout=10)
    change(daemon, "log", file=daemon.home + "/other.log", level="info")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "settings reloaded" in open(daemon.home + "/other.log", encoding="utf-8").read()
               if os.path.exists(daemon.home + "/other.log") else False, 5, "the other log begins")
    before = len(daemon.lines())
    stays(lambda: len(daemon.lines()) == before, 2, "the old log has ended")
    # A program that rotates logs moves the file, and says so.
    os.rename(daemon.home + "/other.log", daemon.home + "/other.log.old")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: os.path.exists(daemon.home + "/other.log"), 5, "a new file")


@case
def wrong_settings_change_nothing(world):
    daemon = world.gantryd().start()
    connector = world.platform.add("unimpressed")
    mark = check.mark(world, connector)
    change(daemon, "manager", interval="60s", intervall="1s", max_removals="many")
    found = refused(daemon)
    assert len(found) == 2 and all("gantry.ini:" in text for text in found), found
    before = lists(world)
    eventually(lambda: lists(world) > before + 2, 6, "the old pace")
    os.unlink(daemon.config)
    assert len(refused(daemon)) == 1
    change(daemon, "manager", interval="1s", intervall=None, max_removals="3")
    reload(daemon)
    check.untouched(world, connector, mark)


@case(each=("manager:id:other-manager", "backend docker:socket:unix:///elsewhere.sock", "manager:state_dir:/tmp/elsewhere",
            "platform opencti:url:http://elsewhere.example.org", "platform second:kind:opencti"))
def what_needs_a_restart_is_refused(world):
    section, key, value = world.value.split(":", 2)
    daemon = world.gantryd().start()
    connector = world.platform.add("stays-where-it-is")
    mark = check.mark(world, connector)
    change(daemon, section, **{key: value})
    if section == "platform second":
        change(daemon, section, url=world.platform.url, token="t")
    found = refused(daemon)
    assert len(found) == 1 and section in found[0] and "restart" in found[0], found
    before = lists(world)
    eventually(lambda: lists(world) > before + 1, 5, "it goes on as before")
    check.untouched(world, connector, mark)
    assert not os.path.exists("/tmp/elsewhere")


@case
def a_reload_does_not_disturb_a_pull(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/reload-pull", extra_bytes=3000000)
    registry.front.stall("/blobs/", 20000)
    daemon = world.gantryd().start()
    world.platform.add("pulls", reference)
    daemon.waits_for("action begins")
    time.sleep(1)
    for i in range(5):
        change(daemon, "backend docker", stop_timeout=f"{10 + i}s")
        reload(daemon)
    registry.front.flow()
    eventually(lambda: any(c["State"] == "running" for c in world.engine.containers()), 30, "it runs")
    assert sum(line["event"] == "action begins" for line in daemon.lines()) == 1


@case
def an_override_counts_for_later_starts(world):
    daemon = world.gantryd().start()
    connector = world.platform.add("overridden")
    mark = check.mark(world, connector)
    change(daemon, "connector overridden", image="test/chatty:latest")
    reload(daemon)
    check.stays_untouched(world, {connector: mark}, 3)
    daemon.terminate()
    daemon.start()
    check.stays_untouched(world, {connector: mark}, 3)  # nor does a restart
    world.engine.remove(mark[0])
    seen = check.running(world, connector, other_than=mark[0])
    assert seen["Config"]["Image"] == "test/chatty:latest", seen["Config"]["Image"]


@case
def a_registry_password_that_is_mended_is_tried_at_once(world):
    registry = world.registry("user", "secret")
    reference = registry.put(world.engine, "test/private")
    host = reference.split("/", maxsplit=1)[0]
    daemon = world.gantryd(sections={f"registry {host}": {"username": "user", "password": "wrong"}}).start()
    connector = world.platform.add("private", reference)
    eventually(lambda: sum(line["event"] == "action begins" for line in daemon.lines()) >= 4, 30, "it backs off")
    eventually(lambda: sum(line["event"] == "action failed" for line in daemon.lines()) >= 4, 10, "it failed")
    change(daemon, f"registry {host}", password="secret")
    reload(daemon)
    began = time.monotonic()
    check.running(world, connector, timeout=4)
    print(f"  runs after {time.monotonic() - began:.2f} s")


@case
def an_older_key_that_is_given_later_opens_values(world):
    daemon = world.gantryd()
    private, public = rsa_key(2048)
    world.platform.knows_manager(daemon.manager_id, public)
    connector = world.platform.add("sealed", configuration=[{"key": "SECRET", "value": "opened", "secret": True}])
    daemon.start()
    eventually(lambda: any("cannot be opened" in str(line) for line in daemon.complaints()), 20, "it is said")
    daemon.write("older.pem", "no key\n")
    change(daemon, "manager", old_keys=f"file:{daemon.home}/older.pem")
    assert any("old_keys" in text for text in refused(daemon))
    daemon.write("older.pem", private)
    reload(daemon)
    seen = check.running(world, connector, timeout=5)
    assert check.environment(world, seen)["SECRET"] == b"opened"


@case
def a_platform_and_an_engine_may_come_up_later(world):
    front = world.front()
    front.set("html_502")
    daemon = world.gantryd(engine=f"unix://{world.engine.home}/later.sock", url=front.url).start()
    connector = world.platform.add("later")
    eventually(lambda: len(daemon.complaints()) >= 2, 10, "it says that both are away")
    stays(daemon.running, 3)
    reload(daemon)
    front.clear()
    os.symlink(world.engine.socket, world.engine.home + "/later.sock")
    world.closing.append(lambda: os.unlink(world.engine.home + "/later.sock"))
    check.running(world, connector, timeout=30)


@case
def an_id_that_was_made_up_stays(world):
    daemon = world.gantryd(kind="local", sections={"manager": {"id": None, "key": None}})
    put(daemon, "only")
    daemon.start()
    mark = check.mark(world, "only")
    change(daemon, "manager", interval="500ms")
    reload(daemon)
    put(daemon, "more")
    label = check.running(world, "more")["Config"]["Labels"]["opencti-manager"]
    assert label == world.engine.inspect(mark[0])["Config"]["Labels"]["opencti-manager"] != "", label
    check.untouched(world, "only", mark)


@case
def a_hangup_of_the_terminal_ends_the_table(world):
    daemon = world.gantryd().start("--table")
    eventually(lambda: "Ctrl-C" in daemon.text(), 10, "a table")
    code, _ = daemon.terminate(signal.SIGHUP)
    assert code == 0, code


@case
def a_file_in_the_folder_is_noticed_at_once(world):
    daemon = world.gantryd(kind="local", sections={"manager": {"interval": "60s"}})
    put(daemon, "first")
    daemon.start()
    check.running(world, "first")
    for name in ("second", "third"):
        began = time.monotonic()
        put(daemon, name)
        check.running(world, name, timeout=2)
        print(f"  {name} runs after {time.monotonic() - began:.2f} s")
    mark = check.mark(world, "first")
    began = time.monotonic()
    put(daemon, "second", requested="stopping")
    check.stopped(world, "second", timeout=12)
    print(f"  stopped after {time.monotonic() - began:.2f} s")
    # Far more writes than listings.
    before = len(daemon.lines())
    for i in range(200):
        put(daemon, "third", {"N": str(i)})
        time.sleep(0.005)
    check.untouched(world, "first", mark)
    eventually(lambda: check.environment(world, check.running(world, "third")).get("N") == b"199", 20, "the last one counts")
    starts = sum(line["event"] == "action begins" for line in daemon.lines(since=before))
    print(f"  {starts} actions for 200 writes")
    assert starts <= 40, starts
