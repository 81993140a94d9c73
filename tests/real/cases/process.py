"""What only processes have: images, users, limits, log files; and a manager that ends and comes back."""

import os
import pwd
import re
import secrets as random
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "plugin"), os.path.join(HERE, "..", "matrix")]

from backends.process import cgroup2_controllers, read_record, start_ticks  # noqa: E402
from driver import Driver  # noqa: E402
from lib.case import Skip, case  # noqa: E402
from lib.gantryd import Gantryd, program  # noqa: E402
from lib.process_plugin import BUSY, LABELS, Plugin, ended, status_of  # noqa: E402
from lib.wait import eventually, stays  # noqa: E402


@case
def image_means_what_the_settings_say(world):
    plugin = Plugin(world)
    folder = os.path.realpath(plugin.home) + "/programs"
    os.mkdir(folder)
    shutil.copy("/bin/sleep", folder + "/sleep")
    with open(folder + "/data", "w", encoding="utf-8") as file:
        file.write("no program")
    plugin.driver.close()
    images = ["test/args=/bin/sh -c 'printf \"%s|\" \"$@\"; exec sleep 1000' x \"a b\" c\\ d '' $HOME", "test/data=" + folder + "/data",
              "test/tagged:2 = /bin/true", "test/tagged=/bin/false", "test/none=/nonexistent/x"]
    plugin.driver = Driver("process", {**plugin.settings, "images": images, "program_folders": [folder]})
    handle = plugin.start("args")
    eventually(lambda: status_of(plugin.pid(handle))["Name"] == "sleep", 5, "it has written", pause=0.05)
    plugin.driver.must("stop", handle=handle)
    assert plugin.texts(handle) == ["a b|c d||$HOME|"], plugin.texts(handle)
    spec = {"name": "n", "labels": LABELS}
    for image, word, part in (("test/unknown:1", "image missing", "images"), ("test/data:1", "invalid", "data"),
                              ("test/none:1", "invalid", "/nonexistent/x"), ("/bin/sleep", "image missing", "images"),
                              (folder + "/../../bin/sleep", "image missing", "images"), (folder + "/data", "invalid", "data")):
        error = plugin.driver.fails(word, "start", spec={**spec, "image": image})
        assert part in error, error
    os.symlink("/bin/sleep", folder + "/link")
    plugin.driver.fails("image missing", "start", spec={**spec, "image": folder + "/link"})
    ends = [plugin.start(f"test/tagged:{tag}", name=f"t{tag}", once=True) for tag in (1, 2)]
    codes = [eventually(lambda h=h: plugin.is_in(h, "failed", "exited"), 5, "it ended", pause=0.05)["exit_code"] for h in ends]
    assert codes == [1, 0], codes


@case
def user_group_and_secret_files(world):
    before = os.umask(0o077)  # of the host; what the user has to pass through is open all the same
    world.closing.append(lambda: os.umask(before))
    plugin = Plugin(world, {"read": 'id -u; id -g; id -G; cat "$TOKEN_FILE"; echo; echo "[$TOKEN][$HOME][$PWD]"; stat -c %a:%u "$TOKEN_FILE"; '
                                    'cat "$CA"; exec sleep 1000'})
    nobody = pwd.getpwnam("nobody")
    secret = random.token_hex(16)
    settings = {"user": "nobody", "group": "daemon", "secrets": "files", "working_directory": "/tmp"}
    handle = plugin.start("read", env={"TOKEN": secret}, settings=settings)
    lines = eventually(lambda: len(plugin.texts(handle)) >= 6 and plugin.texts(handle), 5, "its lines", pause=0.05)
    assert lines[0] == str(nobody.pw_uid) and lines[1] == "1" and "0" not in lines[2].split(), lines
    assert lines[3:6] == [secret, f"[][{nobody.pw_dir}][/tmp]", f"400:{nobody.pw_uid}"], lines
    pid = plugin.pid(handle)
    assert status_of(pid)["NoNewPrivs"] == "0"  # the driver gives no defaults
    with open(f"/proc/{pid}/environ", "rb") as file:
        assert secret.encode() not in file.read()
    files = f"{plugin.home}/folder/files/{handle}"
    assert os.path.isdir(files)
    plugin.driver.must("remove", handle=handle)
    assert not os.path.exists(files)
    handle = plugin.start("busy", settings={"user": "nobody", "ulimits": ["nofile=12:12"]})  # few files are enough for it, and were too few to look it up
    assert status_of(plugin.pid(handle))["Uid"].split()[0] == str(nobody.pw_uid)
    plugin.driver.must("remove", handle=handle)
    for setting, part in (({"user": "no-such-user"}, "no-such-user"), ({"user": "4294967296"}, "4294967296"), ({"group": "4294967296"}, "4294967296"),
                          ({"user": "-18446744069414584320"}, "-18446744069414584320"), ({"group": "no-such-group"}, "no-such-group"),
                          ({"working_directory": "/nonexistent"}, "/nonexistent")):
        assert part in plugin.driver.fails("invalid", "start", spec={"image": "test/busy:1", "labels": LABELS, "settings": setting})
    assert plugin.driver.must("list", labels={})["statuses"] == [], "a start that failed left something"


@case
def file_that_is_meant_for_a_path_is_found_by_its_variable(world):
    plugin = Plugin(world, {"show": 'cat "$SSL_CERT_FILE"; exec sleep 1000'})
    path = "/etc/ssl/certs/gantry-test-that-is-not-there.crt"
    handle = plugin.start("show", files=[{"path": path, "text": "certificate\n", "mode": 0o444}], env={"SSL_CERT_FILE": path})
    eventually(lambda: plugin.texts(handle) == ["certificate"], 5, "it reads the file", pause=0.05)
    assert not os.path.exists(path)


@case
def secrets_are_on_no_command_line_and_in_no_open_file(world):
    plugin = Plugin(world)
    secret = random.token_hex(16)
    handle = plugin.start(env={"TOKEN": secret})
    assert os.stat(plugin.path(handle)).st_mode & 0o777 == 0o700
    for base, _, files in os.walk(plugin.home + "/folder"):
        for name in files:
            with open(os.path.join(base, name), "rb") as file:
                if secret.encode() in file.read():
                    assert name == "spec" and os.stat(os.path.join(base, name)).st_mode & 0o777 == 0o600, name
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                assert secret.encode() not in file.read(), pid
        except (FileNotFoundError, ProcessLookupError):
            pass
    with open(f"/proc/{plugin.pid(handle, 'shim')}/environ", "rb") as file:
        assert secret.encode() not in file.read()
    assert [os.readlink(f"/proc/{plugin.pid(handle)}/fd/{fd}").split(":")[0] for fd in sorted(os.listdir(f"/proc/{plugin.pid(handle)}/fd"))
            if int(fd) < 10] == ["/dev/null", "pipe", "pipe"], "it has descriptors that are not its own"


@case
def limits_are_kept_or_refused(world):
    plugin = Plugin(world, {"quiet": "exec sleep 1000"})
    handle = plugin.start("quiet", settings={"ulimits": ["nofile=123:456", "core=0"], "hardened": True, "no_new_privileges": True})
    pid = plugin.pid(handle)
    eventually(lambda: status_of(pid)["Name"] == "sleep", 5, "it runs", pause=0.05)
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        limits = file.read()
    assert re.search(r"Max open files +123 +456", limits) and re.search(r"Max core file size +0 +0", limits), limits
    status = status_of(pid)
    assert status["NoNewPrivs"] == "1" and all(int(status[key], 16) == 0 for key in ("CapEff", "CapPrm", "CapBnd")), status
    spec = {"image": "test/quiet:1", "name": "n", "labels": LABELS}
    for wrong in (["nofile=x"], ["nonsense=1"], ["nofile=5:4"]):
        assert "ulimits" in plugin.driver.fails("invalid", "start", spec={**spec, "settings": {"ulimits": wrong}})
    controllers = cgroup2_controllers()
    for key, value, controller, file_name in (("memory", 64 << 20, "memory", "memory.max"), ("pids_limit", 20, "pids", "pids.max"),
                                              ("cpus", "0.5", "cpu", "cpu.max")):
        if controller not in controllers:
            error = plugin.driver.fails("invalid", "start", spec={**spec, "settings": {key: value}})
            assert key in error and "cgroup" in error, error
            continue
        limited = plugin.start("quiet", name=key.replace("_", "-"), settings={key: value})
        with open(plugin.state(limited)["cgroup"] + "/" + file_name, encoding="utf-8") as file:
            assert file.read().split()[0] == {"0.5": "50000"}.get(str(value), str(value))


# ----- logs


@case
def log_files_are_exchanged_and_cursors_go_on(world):
    plugin = Plugin(world, {"talk": "i=0; while [ $i -lt 3000 ]; do echo \"line number $i\"; i=$((i+1)); [ $((i % 300)) -ne 0 ] || sleep 0.2; done; exec sleep 1000"})
    handle = plugin.start("talk", settings={"log_max_size": 10000, "log_max_files": 3})
    got, cursor = [], None

    def read():
        nonlocal cursor
        lines = plugin.driver.must("logs", handle=handle, max_lines=100000, **({"cursor": cursor} if cursor else {}))["lines"]
        got.extend(line["text"] for line in lines)
        cursor = lines[-1]["cursor"] if lines else cursor
        return "line number 2999" in got
    eventually(read, 20, "the last line", pause=0.05)
    assert got == [f"line number {i}" for i in range(3000)], (len(got), got[:2])
    files = [name for name in os.listdir(plugin.path(handle)) if name.startswith("log.")]
    assert len(files) == 3 and "log.1" not in files, files
    assert all(os.stat(plugin.path(handle, name)).st_size <= 10000 for name in files)
    rest = [line["text"] for line in plugin.driver.must("logs", handle=handle, cursor="1:0", max_lines=100000)["lines"]]
    assert rest == got[-len(rest):] and 300 < len(rest) < 3000, "a cursor of a file that is gone goes on with the oldest line"
    assert plugin.texts(handle, max_lines=5) == got[-5:]
    for wrong in ("", "x", "1", "1:", "1:-1", "1:2:3", "99999999999999999999:1"):  # as without one
        assert [line["text"] for line in plugin.driver.must("logs", handle=handle, cursor=wrong, max_lines=5)["lines"]] == got[-5:], wrong


@case
def full_disk_costs_lines_and_nothing_else(world):
    if os.geteuid() != 0:
        raise Skip("needs root to mount a small file system")
    plugin = Plugin(world, {"flood": "head -c 100000 /dev/zero | tr '\\0' '\\n' >/dev/stdout; echo after >&2; exec sleep 1000"})
    small = plugin.home + "/small"
    os.mkdir(small)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", small], capture_output=True, check=False)
    if done.returncode:
        raise Skip("no file system can be mounted")
    world.closing.append(lambda: subprocess.run(["umount", "-l", small], check=True))
    driver = Driver("process", {**plugin.settings, "folder": small})
    world.closing.append(driver.close)
    handle = driver.start(spec={"image": "test/flood:1", "labels": LABELS, "settings": {"log_max_size": 10 << 20}})["handle"]
    pid = int(read_record(f"{small}/workloads/{handle}/state")["child_pid"][0])
    eventually(lambda: status_of(pid)["Name"] == "sleep", 20, "it has written all", pause=0.1)
    assert driver.inspect(handle)["state"] == "running"
    driver.must("remove", handle=handle)


# ----- the manager


def managed(world, **sections):
    home = tempfile.mkdtemp(prefix="gtg.", dir="/tmp")
    world.closing.append(lambda: shutil.rmtree(home, ignore_errors=True))
    with open(home + "/busy.sh", "w", encoding="utf-8") as file:
        file.write(BUSY)
    daemon = Gantryd(None, None, {"backend process": {"images": f"test/busy=/bin/sh {home}/busy.sh"}, **sections}, kind="local", home=home)
    world.daemons.append(daemon)
    world.closing.append(lambda: daemon.run("--down"))
    for name in ("one", "two"):
        daemon.write(f"connectors/{name}.ini", f"[connector]\nimage = test/busy:1\n[environment]\nNAME = {name}\n")
    return daemon


def running(daemon):
    """{connector: pid} of what runs."""
    found = {}
    base = daemon.home + "/state/backend-process/workloads"
    for handle in os.listdir(base) if os.path.isdir(base) else []:
        try:
            about, state = read_record(f"{base}/{handle}/about"), read_record(f"{base}/{handle}/state")
        except FileNotFoundError:
            continue  # about to begin, or being removed
        pid = int(state["child_pid"][0])
        if start_ticks(pid) == int(state["child_ticks"][0]):
            assert about["id"][0] not in found, f"{about['id']} runs twice"
            found[about["id"][0]] = pid
    return found


@case
def connectors_live_through_the_managers_end(world):
    daemon = managed(world).start()
    eventually(lambda: len(running(daemon)) == 2, 10, "two run", pause=0.05)
    before = running(daemon)
    for end in (daemon.kill, daemon.terminate):
        end()
        stays(lambda: running(daemon) == before, 1)
        daemon.start()
        stays(lambda: running(daemon) == before, 1.5)
    base = daemon.home + "/state/backend-process/workloads/"
    for handle in os.listdir(base):
        with open(base + handle + "/log.1", encoding="utf-8") as file:
            numbers = [int(line.split()[-1]) for line in file]
        assert numbers == list(range(len(numbers))) and len(numbers) > 15, "lines were lost while no manager ran"
    os.kill(before["one"], signal.SIGKILL)
    eventually(lambda: running(daemon).get("one", before["one"]) != before["one"], 10, "it is started again", pause=0.05)
    daemon.write("connectors/two.ini", "[connector]\nimage = test/busy:1\n[environment]\nNAME = changed\n")
    eventually(lambda: running(daemon).get("two", before["two"]) != before["two"], 10, "the changed one is replaced", pause=0.05)
    eventually(lambda: len(os.listdir(base)) == 2, 10, "the old one is removed", pause=0.05)
    daemon.terminate()
    assert daemon.run("--down").returncode == 0
    assert os.listdir(base) == []


@case
def without_root_it_works_too(world):
    if os.geteuid() != 0:
        raise Skip("this is about leaving root")
    nobody = pwd.getpwnam("nobody")
    daemon = managed(world)
    for base, folders, files in os.walk(daemon.home):
        for name in [*folders, *files, "."]:
            os.chown(os.path.join(base, name), nobody.pw_uid, nobody.pw_gid)

    def gantryd(*arguments):
        done = subprocess.run([program(), "--config", daemon.config, *arguments], user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
                              env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr[-1500:]
    gantryd("--once")
    pids = running(daemon)
    assert len(pids) == 2 and all(os.stat(f"/proc/{pid}").st_uid == nobody.pw_uid for pid in pids.values()), pids
    gantryd("--once")
    assert running(daemon) == pids
    gantryd("--down")
    assert all(ended(pid) for pid in pids.values())


@case
def example_of_the_manual_is_right(world):
    with open(os.path.join(HERE, "..", "..", "..", "plugins", "process", "process.md"), encoding="utf-8") as file:
        example = re.search(r"```ini\n(.*?)```", file.read(), re.S).group(1)
    daemon = managed(world)
    with open(daemon.config, encoding="utf-8") as file:
        others = file.read().split("[backend process]")[0]
    daemon.write("gantry.ini", others + example)
    done = daemon.run("--validate")
    assert done.returncode == 0 and "opencti/connector-cve:6.8.1 = /opt/cve/run.sh" in done.stdout, done.stderr
