#!/usr/bin/env python3
"""Run the plugin kit on the bundled plugins:  run.py [COLUMN...] [--only PROMISE]... | --show [--complete]

COLUMN is a column of ../matrix/backends; without one, all of them.  Each gets an engine of its own, and `gantry plugin
test` a settings file that leads there.  Each promise prints a line, and the table stands at the end.  Results are kept
in build/results/kit/COLUMN.json; --show prints the table of them, and with --complete fails when a promise is missing
in a column.  --by-hand prints the command instead, and keeps the engine until this is ended.  The exit status is 0, 1
when a promise failed, or 77 when a part is missing.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(FOLDER, "..", "matrix"), os.path.join(FOLDER, "..")]

from backend import Absent, columns, plain  # noqa: E402  (the path comes first)
from lib import process  # noqa: E402
from lib.gantryd import build_folder, environment, line_of, program  # noqa: E402
from running import has_failed, limit, parser, run_columns  # noqa: E402
from table import Table  # noqa: E402

WORKLOAD = pathlib.Path(FOLDER, "..", "..", "..", "core", "conformance", "workload.sh")
JOBS = 4  # side by side in the kit; it mostly waits
LIMIT_SECONDS = 1000
SLOW_BYTES = 1 << 20  # of a layer; of what is asked for, a small part comes at once, and the rest never
RESULTS = {"ok": "ok", "failed": "FAIL", "not offered": "out"}


def overlay(settings):
    """{key: text} as a map of [kit]."""
    return [f"{key}={value}" for key, value in settings().items()]


def kit_section(column):
    found = {"image": column.image("kit"), "workload": True, "broken_image": column.broken_image(), "slow": column.is_slow}
    for key in ("away", "refused"):
        try:
            found[key] = overlay(getattr(column, key))
        except Absent as absent:
            print(f"without `{key}`: {plain(absent)}")
    try:
        found["missing_image"] = f"{column.registry().host}/test/missing:1"
        found["slow_image"] = column.push("slow", "kit", SLOW_BYTES)
        column.registry().front.stall("/v2/test/slow/blobs/", SLOW_BYTES // 16)
    except Absent as absent:
        found["missing_image"] = "test/missing:1"
        print(f"without a registry: {plain(absent)}")
    return found


def sections_of(column):
    """What stands in the settings file for this column, whose engine runs."""
    backend = {"plugin": column.plugin, **column.settings(), **column.connector_settings()}
    found = {f"backend {column.name}": backend, "kit": kit_section(column)}
    try:
        found.update(column.registry_section(column.registry().password))
    except Absent:
        pass
    return found


def write_settings(column, path):
    text = ""
    for section, keys in sections_of(column).items():
        text += f"[{section}]\n" + "".join(line_of(key, value) for key, value in keys.items()) + "\n"
    with open(path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def command(column, settings, only):
    plugin = os.path.join(build_folder(), "plugins", f"gantry-{column.plugin}.so")
    chosen = [word for promise in only for word in ("--only", promise)]
    return [program("gantry"), "plugin", "test", plugin, "--config", settings, "--jobs", str(JOBS), *chosen]


def promises():
    """Their names, in the order in which they are tried."""
    listed = subprocess.run([program("gantry"), "plugin", "test", "--list", "--format", "json"], env=environment(),
                            capture_output=True, text=True, check=True).stdout
    names = [json.loads(line)["promise"] for line in listed.splitlines()]
    assert len(set(names)) == len(names), f"a promise is tried twice: {names}"
    return names


def tell(column, came):
    words = f"{came['outcome']} {column.name}: {came['promise']} ({came['took_ms'] / 1000:.1f} s)"
    print(words + (f": {came['detail']}" if came.get("detail") else ""), flush=True)


def test(column, settings, only):
    """What came of each promise, as matrix/table.py keeps it; and how the tool ended."""
    results = {}
    tool = process.spawn([*command(column, settings, only), "--format", "json"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, env=environment(), text=True)
    try:
        for line in tool.stdout:
            came = json.loads(line)
            tell(column, came)
            results[came["promise"]] = {"result": RESULTS[came["outcome"]], "took": round(came["took_ms"] / 1000, 1),
                                        "reason": plain(came.get("detail") or "")}
        return results, tool.wait()
    finally:
        process.end(tool)


def test_twice(column, settings, only):
    """What is broken is tried once more, by itself: one moment of a busy machine is not the plugin's.  It is told."""
    results, status = test(column, settings, only)
    broken = {name: came for name, came in results.items() if came["result"] == "FAIL"}
    if status != 1 or not broken:
        return results, status
    again, status = test(column, settings, list(broken))
    for name, came in again.items():
        results[name] = {**came, "at_first": broken[name]["reason"]} if came["result"] == "ok" else came
    return results, status


def run_column(column, given):
    """What came of each promise, how long the kit took, and whether all is well."""
    column.scripts = {"kit": WORKLOAD.read_text(encoding="utf-8")}
    with tempfile.TemporaryDirectory(prefix="gtk.", dir="/tmp") as home:
        os.chmod(home, 0o700)
        settings = os.path.join(home, "kit.ini")
        try:
            column.start()
            write_settings(column, settings)
            began = time.monotonic()
            if given.by_hand:
                print(" ".join(command(column, settings, given.only)), flush=True)
                signal.pause()
            results, status = test_twice(column, settings, given.only)
            if status != has_failed(results):
                print(f"{column.name}: the tool ended with {status}, whatever came of the promises")
            return results, time.monotonic() - began, status == 0 and bool(results) and not has_failed(results)
        finally:
            column.stop()


def main():
    words = parser(__doc__)
    words.add_argument("--only", action="append", default=[])
    words.add_argument("--by-hand", action="store_true")
    given = words.parse_args()
    table = Table("kit")
    if not os.access(program("gantry"), os.X_OK):
        print(f"skip: {program('gantry')} is not built")
        return 77
    chosen = [column for column in columns([]) if not given.columns or column.name in given.columns]
    names = [column.name for column in chosen]
    rows = {promise: promise for promise in promises()}
    if given.show:
        return table.show(rows, names, given.complete)
    limit(0 if given.by_hand else LIMIT_SECONDS * len(names))
    status = run_columns(chosen, lambda column: run_column(column, given), table, whole=not given.only)
    table.show(rows, names)
    return status


if __name__ == "__main__":
    sys.exit(main())
