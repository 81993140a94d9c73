"""Options of a workload: hardened, users, folders, secrets as files; seen from inside and by the engine."""

import hashlib
import json
import os

from driver import Driver
from lib.wait import eventually
from world import IMAGES, case, spec, with_settings

LOOKS = "test/looks:latest"
# What a workload sees of what it was given, one `KEY VALUE` a line.
IMAGES["test/looks"] = (
    "grep -E 'NoNewPrivs|CapEff|Seccomp:' /proc/self/status; echo user $(id -u):$(id -g); echo host $(hostname); "
    "for d in / /tmp /run /cache /data; do touch $d/x 2>/dev/null && echo writes $d; done; "
    "mkdir /tmp/made 2>/dev/null && echo makes folders; "
    "ls -lnd /run/secrets | sed 's/^/folder /'; ls -ln /run/secrets | sed 's/^/file /'; "
    "for f in /run/secrets/*; do echo sum $(basename $f) $(md5sum <$f); done; echo end; exec sleep 1000")


def looks(w, handle):
    """What the workload's script saw: the lines of its log, as {key: [value, ...]}."""
    def finished():
        lines = [line["text"] for line in w.driver.must("logs", handle=handle)["lines"]]
        return lines if "end" in lines else None
    found = {}
    for line in eventually(finished, 30, "the workload has looked around"):
        key, _, value = line.replace("\t", " ").partition(" ")
        found.setdefault(key.rstrip(":"), []).append(value.strip())
    return found


def pids_limit(w, handle):
    return w.engine.inspect(handle)["HostConfig"]["PidsLimit"]


def volumes(w):
    return w.engine.api("GET", "/volumes")["Volumes"] or []


@case
def hardened_is_seen_from_inside(w):
    handle = w.driver.start(spec=spec(image=LOOKS, settings=with_settings(hardened=True)))["handle"]
    seen = looks(w, handle)
    assert seen["NoNewPrivs"] == ["1"] and int(seen["CapEff"][0], 16) == 0, seen
    assert seen["writes"] == ["/tmp", "/run"], seen
    assert pids_limit(w, handle) == 256
    plain = looks(w, w.driver.start(spec=spec("c2", LOOKS))["handle"])
    assert plain["NoNewPrivs"] == ["0"] and int(plain["CapEff"][0], 16) != 0 and "/" in plain["writes"], plain


@case
def what_is_given_wins_over_hardened(w):
    handle = w.driver.start(spec=spec(image=LOOKS, settings=with_settings(
        hardened=True, read_only=False, cap_add=["NET_RAW"], pids_limit=50, no_new_privileges=False,
        tmpfs=["/cache:size=1m"])))["handle"]
    seen = looks(w, handle)
    assert seen["NoNewPrivs"] == ["0"] and int(seen["CapEff"][0], 16) == 1 << 13, seen
    assert "/" in seen["writes"] and "/cache" in seen["writes"] and pids_limit(w, handle) == 50, seen
    security = w.driver.start(spec=spec("c2", LOOKS, settings=with_settings(
        hardened=True, security_opt=["no-new-privileges:false"])))["handle"]
    assert looks(w, security)["NoNewPrivs"] == ["0"]


@case
def user_host_name_and_folders_are_as_given(w):
    folder = w.engine.home + "/inbox"
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o777)
    settings = with_settings(user="1234:4321", hostname="import-1", tmpfs=["/cache:mode=1777,size=1m"],
                             volumes=[folder + ":/data"])
    handle = w.driver.start(spec=spec(image=LOOKS, settings=settings))["handle"]
    seen = looks(w, handle)
    assert seen["user"] == ["1234:4321"] and seen["host"] == ["import-1"], seen
    assert "/cache" in seen["writes"] and "/data" in seen["writes"] and "/" not in seen["writes"], seen
    assert os.stat(folder + "/x").st_uid == 1234
    settings["volumes"] = [folder + ":/data:ro"]
    assert "/data" not in looks(w, w.driver.start(spec=spec("c2", LOOKS, settings=settings))["handle"])["writes"]


@case
def named_volume_outlives_its_container(w):
    settings = with_settings(volumes=["kept-data:/data"])
    handle = w.driver.start(spec=spec(image=LOOKS, settings=settings))["handle"]
    looks(w, handle)
    second = w.driver.start(handle=handle, spec=spec(image=LOOKS, settings=settings))["handle"]
    w.driver.must("remove", handle=handle)
    looks(w, second)
    w.driver.must("remove", handle=second)
    assert [volume["Name"] for volume in volumes(w)] == ["kept-data"]
    w.engine.api("DELETE", "/volumes/kept-data")


@case
def folder_that_is_missing_is_not_made(w):
    folder = w.engine.home + "/missing"
    old = w.driver.start(spec=spec())["handle"]
    text = w.driver.fails("invalid", "start", handle=old, spec=spec(settings=with_settings(volumes=[folder + ":/data"])))
    assert folder in text and not os.path.exists(folder), text
    assert w.driver.inspect(old)["state"] == "running" and len(w.engine.containers()) == 1


@case
def seccomp_profile_is_read_when_the_workload_is_made(w):
    path = w.engine.home + "/profile.json"
    profile = {"defaultAction": "SCMP_ACT_ALLOW"}
    settings = with_settings(seccomp_profile=path)
    for refused in (["mkdir", "mkdirat"], []):
        profile["syscalls"] = [{"names": refused, "action": "SCMP_ACT_ERRNO"}] if refused else []
        with open(path, "w", encoding="ascii") as file:
            json.dump(profile, file)
        name = "with" if refused else "without"
        seen = looks(w, w.driver.start(spec=spec(name, LOOKS, settings=settings))["handle"])
        assert ("makes" in seen) != bool(refused), seen
    with open(path, "w", encoding="ascii") as file:
        file.write("{")
    assert path in w.driver.fails("invalid", "start", spec=spec("c3", LOOKS, settings=settings))


# ----- secrets = files

VALUES = {"TOKEN": "t0p s3cret =žluť", "PASSWORD": "two\nlines", "EMPTY": "", "OPENCTI_URL": "http://plain"}


def assert_handed_over(w, handle, owner):
    seen = looks(w, handle)
    sums = dict(item.split(" ")[:2] for item in seen["sum"])
    for key in ("TOKEN", "PASSWORD"):
        assert sums[key] == hashlib.md5(VALUES[key].encode()).hexdigest(), (key, seen)
    files = [item.split() for item in seen["file"] if not item.startswith("total")]
    assert len(files) == 2, seen
    for item in files:
        assert item[0] == "-r--------" and item[2] == owner, seen
    real = w.engine.environment(handle)
    assert real["OPENCTI_URL"] == b"http://plain" and real["TOKEN_FILE"] == b"/run/secrets/TOKEN", real
    assert not {"TOKEN", "PASSWORD", "EMPTY_FILE", "OPENCTI_URL_FILE"} & set(real) and real["EMPTY"] == b"", real
    told = json.dumps(w.engine.inspect(handle), ensure_ascii=False)
    assert "s3cret" not in told and "lines" not in told


@case
def secrets_are_files_of_the_user_that_reads_them(w):
    for name, owner, more in (("c1", "0", {}), ("c2", "0", {"hardened": True}), ("c3", "1234", {"user": "1234"}),
                              ("c4", "1234", {"user": "1234:55", "hardened": True, "tmpfs": ["/run/"]}),
                              ("c5", "0", {"user": "0:0", "tmpfs": ["/run:size=1m"]})):
        handle = w.driver.start(spec=spec(name, LOOKS, env=VALUES, open_env={"OPENCTI_URL": True},
                                          settings=with_settings(secrets="files", **more)))["handle"]
        assert_handed_over(w, handle, owner)
        w.driver.must("stop", handle=handle, grace_ms=1000)
        w.driver.start(handle=handle)
        assert looks(w, handle)["sum"], "they are there after a restart"
        w.driver.must("remove", handle=handle)
    assert not volumes(w), "nothing of them stays"


@case
def secrets_that_nobody_could_read_are_refused(w):
    settings = with_settings(secrets="files", user="nobody")
    text = w.driver.fails("invalid", "start", spec=spec(image=LOOKS, env=VALUES, settings=settings))
    assert "nobody" in text and "UID" in text and not w.engine.containers() and not volumes(w), text
    del settings["user"]
    settings["tmpfs"] = ["/run/secrets"]
    assert "/run/secrets/TOKEN" in w.driver.fails("invalid", "start", spec=spec(image=LOOKS, env=VALUES, settings=settings))
    for env in ({"A/B": "s3cret"}, {"..": "s3cret"}, {"A": "s3cret", "A_FILE": "x"}):
        text = w.driver.fails("invalid", "start", spec=spec(image=LOOKS, env=env, settings=settings))
        assert "s3cret" not in text and list(env)[0] in text, text


@case
def files_are_there_below_a_read_only_root(w):
    path = "/etc/certs/ca.crt"
    image = w.engine.make_image("test/shows", command=["/bin/sh", "-c", f"cat {path}; touch /etc/x; cat /bin/../etc/deep/f; exec sleep 1000"])
    handle = w.driver.start(spec=spec(image=image, settings=with_settings(hardened=True), files=[
        {"path": path, "text": "certificate\n", "mode": 0o444}, {"path": "/etc/deep/f", "text": "deep\n", "mode": 0o444}]))["handle"]
    lines = eventually(lambda: (lambda found: found if len(found) == 3 else None)(
        [line["text"] for line in w.driver.must("logs", handle=handle)["lines"]]), what="three lines")
    assert {"certificate", "deep"} < set(lines) and any("Read-only" in line for line in lines), lines
    w.driver.fails("invalid", "start", spec=spec("c2", settings=with_settings(read_only=True), files=[{"path": "/f", "text": ""}]))
    w.driver.must("remove", handle=handle)
    assert not volumes(w)


# ----- what is written wrong

WRONG = {"extra_hosts": ["db"], "dns": ["one.one"], "dns_search": ["a b"], "hostname": "a_b", "user": "a b", "cap_add": ["NET-RAW"],
         "cap_drop": ["ALL "], "tmpfs": ["tmp"], "volumes": ["data"], "sysctls": ["somaxconn=1"], "ulimits": ["nofile=2:1"],
         "cpus": "0", "network_mode": "a b", "security_opt": ["apparmor"], "runtime": "a b", "userns_mode": "root", "uts_mode": "own",
         "pid_mode": "container:", "ipc_mode": "public", "memory": 4096, "shm_size": 0, "pids_limit": -2, "log_max_size": 1,
         "log_max_files": 0, "seccomp_profile": "/no/such/profile", "privileged": True}


@case
def options_written_wrong_are_told_when_the_plugin_is_opened(w):
    for key, value in WRONG.items():
        settings = dict(w.settings(), **{key: value}, **({"hardened": True} if key == "privileged" else {}))
        driver = Driver("docker")
        answer = driver.call("open", settings=settings)
        driver.close()
        text = answer.get("error") or ""
        assert answer["word"] == "invalid" and "\n" not in text and key in text, (key, answer)
        assert text.startswith(key + ":") or key == "privileged", text
