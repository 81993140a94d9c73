#!/usr/bin/env python3
"""What was frozen is as it was on its day: every file of tests/abi/frozen/VERSION is in its SHA256SUMS, and has that sum.

usage: test-frozen.py FROZEN-FOLDER"""
import hashlib
import pathlib
import sys

ADVICE = ("a plugin of that day is somebody's who cannot compile it again: put the file back (git checkout), and mend the host "
          "instead; what is new belongs into a version folder of its own")


def problems(folder):
    listed = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        checksum, name = line.split(None, 1)
        listed[name.removeprefix("*").removeprefix("./")] = checksum
    for name, checksum in listed.items():
        file = folder / name
        if not file.exists():
            yield f"{file} is gone"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != checksum:
            yield f"{file} was changed"
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if file.is_file() and name != "SHA256SUMS" and name not in listed:
            yield f"{file} is new, and not in SHA256SUMS"
    for name in ("gantry-everything.so", "gantry-cpp.so", "everything.c", "cpp.cc", "include/gantry/plugin.h"):
        if name not in listed:
            yield f"{folder}/SHA256SUMS does not list {name}"


versions = sorted(folder for folder in pathlib.Path(sys.argv[1]).iterdir() if folder.is_dir())
found = [problem for folder in versions for problem in problems(folder)]
for problem in found:
    print(f"{problem}: {ADVICE}")
if not versions:
    print("nothing is frozen")
sys.exit(1 if found or not versions else 0)
