"""Registries: passwords, pauses that they ask for, and images that Gantry has fetched and may remove."""

import json
import os
import re
import time

from lib import check
from lib.case import case
from lib.tcpfront import answer_of
from lib.wait import eventually, stays

PASSWORD = "a>>>b???c~~~"
WRONG = "wr0ng-secret"


def images_of(world, repository):
    """Tags of a repository that the engine has."""
    found = world.engine.api("GET", "/images/json")
    tags = [tag for image in (found if isinstance(found, list) else [found]) for tag in image["RepoTags"] or []]
    return sorted(tag.rsplit(":", 1)[1] for tag in tags if tag.rsplit(":", 1)[0] == repository)


def remembered(daemon):
    with open(daemon.home + "/state/state.json", encoding="utf-8") as file:
        return json.load(file)


def replaced(world, connector, reference, before, timeout=40):
    world.platform.patch(connector, image=reference, bump=True)
    return check.running(world, connector, timeout=timeout, other_than=before["Id"], hash_=world.platform.hash(connector))


@case
def wrong_password_names_the_registry_and_the_old_container_runs_on(world):
    registry = world.registry("tester", PASSWORD)
    old, new = registry.put(world.engine, "test/guarded", "1"), registry.put(world.engine, "test/guarded", "2")
    daemon = world.gantryd(sections={"registry " + registry.host: {"username": "tester", "password": "file:pw"}})
    daemon.write("pw", PASSWORD + "\n")
    daemon.start()
    connector = world.platform.add("guarded", old)
    running = check.running(world, connector)
    before = check.mark(world, connector)
    daemon.write("pw", WRONG + "\n")  # nothing is reloaded: the file is read at each pull
    world.platform.patch(connector, image=new, bump=True)
    check.logs_say(world, connector, f"[registry {registry.host}]", new)
    check.stays_untouched(world, {connector: before}, 3)
    assert world.platform.status(connector) == "started"
    for text in (daemon.text(), world.platform.logs_text(connector)):
        assert WRONG not in text and PASSWORD not in text
    daemon.write("pw", PASSWORD + "\n")
    world.platform.patch(connector, bump=True)  # a newer wish waits for no back-off
    now = check.running(world, connector, timeout=60, other_than=running["Id"])
    assert now["Config"]["Image"] == new
    # Without the file nobody can pull; what runs, runs.
    os.unlink(daemon.home + "/pw")
    world.platform.patch(connector, bump=True)
    check.logs_say(world, connector, f"[registry {registry.host}]", "there is no file")
    check.stays_untouched(world, {connector: check.mark(world, connector)}, 1)


@case
def pause_of_a_registry_holds_all_its_connectors_and_nobody_else(world):
    registry = world.registry()
    for name in ("one", "two", "three"):
        registry.put(world.engine, "test/" + name)
    refused, asked = [], []

    def on_request(method, path, when):
        if "/manifests/" not in path or when != "before":
            return None
        if refused:
            asked.append(time.monotonic())
            return None
        if method == "GET":  # it comes after a HEAD, whose answer has no words
            refused.append(time.monotonic())
        return answer_of(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 6s, allowed: 1/minute"}]}')
    registry.front.on_request = on_request
    daemon = world.gantryd().start()
    first = world.platform.add("one", registry.reference("test/one"))
    daemon.waits_for("registry asks for a pause", 20)
    others = [world.platform.add(name, registry.reference("test/" + name)) for name in ("two", "three")]
    local = world.platform.add("local")  # its image is here
    check.running(world, local, timeout=5)
    world.platform.patch(first, bump=True)  # a newer wish is tried at once (S6), and asks the registry nothing
    stays(lambda: not asked, 6 - (time.monotonic() - refused[0]) - 0.3)
    for connector in [first, *others]:
        check.running(world, connector, timeout=15)
    assert min(asked) - refused[0] >= 6, asked
    print(f"  asked again after {[round(at - refused[0], 1) for at in asked]} s")


@case
def fetched_images_go_when_nothing_uses_them(world):
    registry = world.registry()
    versions = [registry.put(world.engine, "test/versions", str(n)) for n in (1, 2, 3, 4)]
    repository = versions[0].rsplit(":", 1)[0]
    daemon = world.gantryd(sections={"backend docker": {"image_retention": "yes"}}).start()
    connector = world.platform.add("versions", versions[0])
    running = check.running(world, connector)
    running = replaced(world, connector, versions[1], running)
    stays(lambda: images_of(world, repository) == ["1", "2"], 2)
    running = replaced(world, connector, versions[2], running)
    eventually(lambda: images_of(world, repository) == ["2", "3"], 10, "the first image is gone, the one before stays")
    # Its memory lives through a restart.
    daemon.waits_for("image removed", 10)
    daemon.terminate()
    assert [image["image"] for image in remembered(daemon)["images"]["docker"]] == versions[1:3], remembered(daemon)
    daemon.start()
    stays(lambda: images_of(world, repository) == ["2", "3"], 2)
    replaced(world, connector, versions[3], running)
    eventually(lambda: images_of(world, repository) == ["3", "4"], 10, "the second is gone")
    assert "image removed" in daemon.text()


@case
def images_of_others_are_never_removed(world):
    registry = world.registry()
    versions = [registry.put(world.engine, "test/shared", str(n)) for n in range(1, 5)]
    repository = versions[0].rsplit(":", 1)[0]
    world.engine.stream("POST", "/images/create", query={"fromImage": repository, "tag": "1"})  # it was there before
    daemon = world.gantryd(sections={"backend docker": {"image_retention": "yes"}}).start()
    connector = world.platform.add("shared", versions[0])
    running = check.running(world, connector)
    running = replaced(world, connector, versions[1], running)
    stranger = world.engine.create("stranger", versions[1], start=False)
    running = replaced(world, connector, versions[2], running)
    running = replaced(world, connector, versions[3], running)
    daemon.waits_for("image stays for now", 10)
    stays(lambda: images_of(world, repository) == ["1", "2", "3", "4"], 2)
    world.engine.remove(stranger)
    # The next change finds it unused.
    replaced(world, connector, versions[2], running)
    eventually(lambda: images_of(world, repository) == ["1", "3", "4"], 15, "the second is gone")


@case
def without_being_told_nothing_is_removed(world):
    registry = world.registry()
    versions = [registry.put(world.engine, "test/kept", str(n)) for n in (1, 2, 3)]
    world.gantryd().start()
    connector = world.platform.add("kept", versions[0])
    running = check.running(world, connector)
    for version in versions[1:]:
        running = replaced(world, connector, version, running)
    stays(lambda: images_of(world, versions[0].rsplit(":", 1)[0]) == ["1", "2", "3"], 2)


@case
def names_without_a_registry_come_from_the_backends(world):
    registry = world.registry()
    registry.put(world.engine, "mirror/test/short", "1")
    world.gantryd(sections={"backend docker": {"registry": registry.host + "/mirror"}}).start()
    connector = world.platform.add("short", "test/short:1")
    seen = check.running(world, connector)
    assert seen["Config"]["Image"] == registry.reference("mirror/test/short", "1"), seen["Config"]["Image"]


@case
def platform_of_a_connector_is_asked_for(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/elsewhere")
    world.gantryd(sections={"connector elsewhere": {"platform": "linux/s390x"}}).start()
    connector, other = world.platform.add("elsewhere", reference), world.platform.add("here", reference)
    check.running(world, other)
    check.logs_say(world, connector, reference, "linux/s390x")
    assert not world.engine.of_connector(connector)


@case
def full_disk_is_told_before_the_pull(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/no-room")
    world.gantryd(sections={"backend docker": {"min_free_space": "900TiB"}}).start()
    connector, local = world.platform.add("no-room", reference), world.platform.add("local")
    seen = len(registry.front.requests)
    check.running(world, local)
    check.logs_say(world, connector, "min_free_space", world.engine.home + "/data")
    assert len(registry.front.requests) == seen, registry.front.requests[seen:]


@case
def table_tells_how_far_a_pull_is(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/long", extra_bytes=6000000)
    registry.front.stall("/blobs/", 3000000)
    daemon = world.gantryd().start("--table")
    world.platform.add("long", reference)
    shown = eventually(lambda: re.search(r"^long .* create +pulling (\d+)%", daemon.text(), re.M), 20, "the table says how far")
    assert 0 < int(shown.group(1)) < 100, shown.group()
