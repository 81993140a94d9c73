#!/usr/bin/env python3
"""A library exports exactly what its headers declare as GANTRY_API; a plugin exports its entry alone.

usage: test-exports.py NM HEADERS-FOLDER [--library FILE HEADER...]... [--plugin FILE]..."""
import pathlib
import re
import subprocess
import sys

nm, folder = sys.argv[1], pathlib.Path(sys.argv[2])
failed = 0


def exported(file):
    out = subprocess.run([nm, "-D", "--defined-only", file], text=True, capture_output=True, check=True).stdout
    symbols = [line.split() for line in out.splitlines()]
    # "A" is the name of a symbol version, not a symbol.
    return {s[-1].split("@")[0] for s in symbols if s[-2] != "A"}


def declared(headers):
    names = set()
    for header in headers:
        text = re.sub(r"/\*.*?\*/", " ", (folder / header).read_text(), flags=re.S)
        text = re.sub(r"\\\n", " ", text)
        lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        for statement in re.split(r"[;{}]", lines):
            if "GANTRY_API" in statement:
                names.add(re.search(r"(\w+)\s*\(", statement.split("GANTRY_API", 1)[1].replace(
                    "GANTRY_MUST_CHECK", "")).group(1))
    return names


def compare(file, is_there, wanted):
    global failed
    for word, names in (("exports, against its headers,", is_there - wanted), ("does not export", wanted - is_there)):
        for name in sorted(names):
            print(f"{file}: {word} {name}")
            failed += 1


arguments = sys.argv[3:]
while arguments:
    kind, file = arguments.pop(0), arguments.pop(0)
    if kind == "--plugin":
        compare(file, exported(file), {"gantry_plugin_entry"})
        continue
    headers = []
    while arguments and not arguments[0].startswith("--"):
        headers.append(arguments.pop(0))
    wanted = declared(headers)
    assert wanted, f"no GANTRY_API in {headers}"
    compare(file, exported(file), wanted)
sys.exit(failed != 0)
