"""Settings that cannot be used: one line each with file, line and key, exit status 2, and nothing is touched."""

import os
import re
import subprocess

from lib import check
from lib.case import case
from lib.gantryd import program
from lib.wait import eventually

LINE = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+): \[(?P<section>[^\]]+)\](?: (?P<key>[\w.]+))?: (?P<what>.+)$", re.M)


def refused(world, daemon, *wanted, arguments=()):
    """Each of wanted, (section, key, words...), is exactly one line that points at that line of the file."""
    before = len(world.engine.containers())
    done = daemon.run(*arguments, timeout=20)
    assert done.returncode == 2, f"exit status {done.returncode}: {done.stderr}"
    found = [m.groupdict() for m in LINE.finditer(done.stderr)]
    assert len(found) == len(wanted), f"{len(found)} lines for {len(wanted)} mistakes:\n{done.stderr}"
    with open(daemon.config, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for section, key, *words in wanted:
        match = [f for f in found if f["section"] == section and f["key"] == key]
        assert len(match) == 1, f"[{section}] {key} in:\n{done.stderr}"
        assert os.path.basename(match[0]["file"]) == "gantry.ini", match[0]
        source = lines[int(match[0]["line"]) - 1]
        assert source.startswith(key + " ") or source == f"[{section}]", f"line {match[0]['line']} is {source!r}"
        for word in words:
            assert word in match[0]["what"], f"{word!r} not in {match[0]['what']!r}"
    assert world.platform.state()["documents"] == 0, "the platform was asked"
    assert len(world.engine.containers()) == before, "the engine was used"
    return done


@case
def unknown_key_is_refused_with_the_nearest_known(world):
    daemon = world.gantryd(sections={"manager": {"intervall": "5s"}})
    refused(world, daemon, ("manager", "intervall", "interval"))


@case
def unknown_key_of_a_plugin_is_refused(world):
    daemon = world.gantryd(sections={"backend docker": {"network_mod": "host"}})
    refused(world, daemon, ("backend docker", "network_mod", "network_mode"))


@case
def bad_duration_is_refused_with_the_unit_that_is_meant(world):
    daemon = world.gantryd(sections={"manager": {"interval": "10"}})
    refused(world, daemon, ("manager", "interval", "10s"))


@case
def every_mistake_is_told_in_one_run(world):
    daemon = world.gantryd(sections={"manager": {"intervall": "5s", "ping_interval": "soon"}, "platform opencti": {"token": "file:/nonexistent/token"}})
    refused(world, daemon, ("manager", "intervall"), ("manager", "ping_interval"), ("platform opencti", "token", "/nonexistent/token"))


@case
def missing_settings_file_is_refused(world):
    world.engine.ping()
    done = subprocess.run([program(), "--config", "/nonexistent/gantry.ini"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2, done
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and "/nonexistent/gantry.ini" in lines[0], done.stderr


@case
def missing_key_file_is_refused(world):
    daemon = world.gantryd(sections={"manager": {"key": "file:/nonexistent/key.pem"}})
    refused(world, daemon, ("manager", "key", "/nonexistent/key.pem"))


@case
def plugin_that_is_not_there_is_refused(world):
    daemon = world.gantryd(sections={"backend docker": {"plugin": "nosuch"}})
    refused(world, daemon, ("backend docker", "plugin", "nosuch"))


@case
def plugin_that_does_not_load_is_refused(world):
    daemon = world.gantryd(sections={"backend docker": {"plugin": "broken"}})
    folder = os.path.dirname(daemon.write("plugins/gantry-broken.so", "this is not a shared object\n", 0o755))
    daemon.sections["manager"]["plugin_path"] = folder
    daemon.write_config()
    refused(world, daemon, ("backend docker", "plugin", "gantry-broken.so"))


@case(each=("ec", "garbage", "public"))
def key_that_is_not_rsa_is_refused(world):
    daemon = world.gantryd()
    texts = {"garbage": "not a key\n", "public": daemon.public_key}
    texts["ec"] = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], check=True, capture_output=True, text=True).stdout
    daemon.write("key.pem", texts[world.value])
    done = refused(world, daemon, ("manager", "key"))
    assert any(word in done.stderr for word in ("keygen", "RSA", "private")), done.stderr


@case
def second_manager_on_one_state_folder_is_refused(world):
    first = world.gantryd().start()
    connector = world.platform.add("mine")
    before = check.mark(world, connector)
    second = world.gantryd(manager_id=first.manager_id, sections={"manager": {"state_dir": first.home + "/state"}})
    done = second.run(timeout=20)
    assert done.returncode == 2, done
    found = [m.groupdict() for m in LINE.finditer(done.stderr)]
    assert len(found) == 1 and found[0]["section"] == "manager" and found[0]["key"] == "state_dir", done.stderr
    assert first.home + "/state" in found[0]["what"], found
    assert first.running()
    check.stays_untouched(world, {connector: before}, 3)
    # What its owner leaves, the next one may have.
    first.kill()
    second.start()
    eventually(lambda: world.platform.count("connectorsForManagers") > 0 and second.running(), 10)


@case
def validate_refuses_the_same(world):
    daemon = world.gantryd(sections={"manager": {"intervall": "5s"}})
    refused(world, daemon, ("manager", "intervall"), arguments=("--validate",))


@case
def section_of_a_later_feature_is_refused_not_ignored(world):
    daemon = world.gantryd(sections={"control": {"socket": "/run/gantry.sock"}})
    done = daemon.run(timeout=20)
    assert done.returncode == 2 and "[control]" in done.stderr and "not available" in done.stderr, done.stderr
    assert world.platform.state()["documents"] == 0


@case
def unknown_option_of_the_command_line_is_refused(world):
    world.engine.ping()
    done = subprocess.run([program(), "--onc"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "--onc" in done.stderr, done
