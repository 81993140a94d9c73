"""The local platform: a folder of INI files, one a connector."""

import os

from lib import check
from lib.case import case
from lib.folder import put
from lib.wait import eventually, stays


def local(world, **more):
    return world.gantryd(kind="local", **more)


@case
def files_of_the_folder_run(world):
    daemon = local(world)
    daemon.write("multi", "one\ntwo=2\n")
    put(daemon, "first", {"PLAIN": "a=b=c", "EMPTY": "", "UNICODE": "grüße"},
        extra=f"\n[environment_from]\nLINES = file:{daemon.home}/multi\n")
    put(daemon, "second", requested="stopping")
    put(daemon, "third", id="an-id-of-its-own")
    daemon.start()
    container = check.running(world, "first")
    seen = check.environment(world, container)
    assert (seen["PLAIN"], seen["EMPTY"], seen["UNICODE"]) == (b"a=b=c", b"", "grüße".encode()), seen
    assert seen["LINES"] in (b"one\ntwo=2", b"one\ntwo=2\n"), seen["LINES"]
    labels = container["Config"]["Labels"]
    assert labels["opencti-platform"] == "local" and labels["gantry.platform"] == "local" and labels["opencti-manager"] == daemon.manager_id
    assert check.name_of(check.running(world, "an-id-of-its-own")) == "third"
    stays(lambda: not world.engine.of_connector("second"), 2)


@case
def changes_of_files_are_followed(world):
    daemon = local(world)
    put(daemon, "first", {"A": "1"})
    put(daemon, "second")
    daemon.start()
    old, other = check.running(world, "first"), check.mark(world, "second")
    put(daemon, "first", {"A": "2"})
    new = check.running(world, "first", other_than=old["Id"])
    assert check.environment(world, new)["A"] == b"2"
    put(daemon, "first", {"A": "2"}, requested="stopping")
    check.stopped(world, "first")
    put(daemon, "first", {"A": "2"})
    assert check.running(world, "first")["Id"] == new["Id"]
    check.untouched(world, "second", other)
    # Deleting files is an operator's word, also when they are all.
    os.unlink(daemon.home + "/connectors/first.ini")
    check.gone(world, "first")
    check.untouched(world, "second", other)
    os.unlink(daemon.home + "/connectors/second.ini")
    check.gone(world, "second")


@case
def broken_file_is_said_once_and_holds_up_nobody(world):
    daemon = local(world)
    put(daemon, "first")
    put(daemon, "second")
    daemon.start()
    marks = {name: check.mark(world, name) for name in ("first", "second")}
    said = len(daemon.complaints())
    with open(daemon.home + "/connectors/first.ini", "w", encoding="ascii") as file:
        file.write("[connector\nimage = \n")
    check.stays_untouched(world, marks, 4)
    lines = [line for line in daemon.complaints(said) if "first.ini" in str(line)]
    assert len(lines) == 1, daemon.complaints(said)
    put(daemon, "first", {"A": "mended"})
    check.running(world, "first", other_than=marks["first"][0])


@case
def folder_that_vanishes_removes_nothing(world):
    daemon = local(world)
    put(daemon, "first")
    daemon.start()
    before = check.mark(world, "first")
    os.rename(daemon.home + "/connectors", daemon.home + "/away")
    check.stays_untouched(world, {"first": before}, 5)
    assert daemon.complaints(), "nothing was said"
    os.rename(daemon.home + "/away", daemon.home + "/connectors")
    check.stays_untouched(world, {"first": before}, 2)


@case
def neither_id_nor_key_is_needed(world):
    daemon = local(world, sections={"manager": {"id": None, "key": None}})
    put(daemon, "only")
    daemon.start()
    manager = check.running(world, "only")["Config"]["Labels"]["opencti-manager"]
    assert manager.startswith("local-") and len(manager) == 22, manager
    before = check.mark(world, "only")
    daemon.terminate()
    daemon.start()
    check.stays_untouched(world, {"only": before}, 3)
    daemon.terminate()
    assert daemon.run("--down").returncode == 0
    eventually(lambda: not world.engine.containers(), 5, "nothing is left")
