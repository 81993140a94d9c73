"""Options that mean the same on every engine: hardened, secrets = files, and whose word counts."""

import os

from backend import Absent, environment_of
from lib.wait import eventually
from scene import case

VALUES = {"TOKEN": "t0p s3cret =žluť", "PASSWORD": "two\nlines\n", "EMPTY": "", "PLAIN": "http://plain"}


def without_containers(s):
    if s.backend.plugin == "process":
        raise Absent("a process has no root of its own")


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def mount_of(pid, path):
    """(its file system, its options)."""
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
        found = [line.split() for line in file if line.split()[4] == path]
    return found[-1][found[-1].index("-") + 1], found[-1][5].split(",")


def root_is_read_only(pid):
    return "ro" in mount_of(pid, "/")[1]


@case
def hardened_workload_has_a_read_only_root_and_no_capability(s):
    without_containers(s)
    pids = {hardened: s.seen(s.driver.start(spec=s.spec(word, settings={"hardened": hardened}))["handle"])["pid"]
            for hardened, word in ((True, "hard"), (False, "soft"))}
    assert root_is_read_only(pids[True]) and not root_is_read_only(pids[False])
    assert int(status_of(pids[True])["CapEff"], 16) == 0
    assert int(status_of(pids[False])["CapEff"], 16) != 0
    for folder in ("/tmp", "/run"):
        kind, options = mount_of(pids[True], folder)
        assert kind == "tmpfs" and "rw" in options, (folder, kind, options)
    kept = s.driver.start(spec=s.spec("kept", settings={"hardened": True, "read_only": False}))["handle"]
    assert not root_is_read_only(s.seen(kept)["pid"]), "what is given wins"


@case
def hardened_workload_gains_no_privileges(s):
    pid = s.seen(s.driver.start(spec=s.spec(settings={"hardened": True}))["handle"])["pid"]
    assert status_of(pid)["NoNewPrivs"] == "1"


@case
def secret_values_are_handed_over_as_files(s):
    for word, more in (("plain", {}), ("hard", {"hardened": True})):
        if more and s.backend.plugin == "process":
            continue
        handle = s.driver.start(spec=s.spec(word, env=VALUES, open_env={"PLAIN": True},
                                            settings={"secrets": "files", **more}))["handle"]
        pid = s.seen(handle)["pid"]
        # The very first process may still be the engine's own, about to become the workload's.
        env = eventually(lambda p=pid: (lambda e: e if "PLAIN" in e else None)(environment_of(p)), 10, "its environment")
        assert env["PLAIN"] == b"http://plain" and "PLAIN_FILE" not in env, env
        for key in ("TOKEN", "PASSWORD"):
            assert key not in env, f"{key} is still in the environment"
            path = f"/proc/{pid}/root" + env[key + "_FILE"].decode()
            with open(path, "rb") as file:
                assert file.read() == VALUES[key].encode(), key
            seen = os.stat(path)
            assert seen.st_mode & 0o777 == 0o400, oct(seen.st_mode)
            assert seen.st_uid == os.stat(f"/proc/{pid}").st_uid, "the workload cannot read it"


@case(alone=True)
def connector_section_wins_over_that_of_the_backend(s):
    without_containers(s)
    title, section = next(iter(s.stage.backend_section().items()))
    s.own_daemon(**{title: {**section, "hardened": True}, f"connector {s.name('soft')}": {"hardened": False}})
    s.daemon.start()
    hard, soft = s.add("hard"), s.add("soft")
    assert root_is_read_only(s.running(hard)["pid"])
    assert not root_is_read_only(s.running(soft)["pid"])
