#!/usr/bin/env python3
"""Add up ctest's JUnit files.  A skip that nobody expects, or a step that broke, is a failure.  What passed only when it
was tried again, a whole test (by the log NAME.log beside NAME.xml) or a part of one (which says so itself), is told with
what it said at first."""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

AGAIN = "passed at the second attempt only:"  # what real/matrix/table.py says of a case
REPEATING = "real.matrix", "real.kit"  # what the columns have said
TELLING = re.compile(r"FAIL|not ok|VIOLATION|\w*Error\b|\[ +(ERROR|LINE|FAILED) +\]|.*\b(error|warning|Sanitizer|runtime error):|skip:")
TELLING_MOST, LAST, WIDTH = 12, 12, 300  # lines of what a failed test said: its output may be very long


def show(what, name, output):
    lines = [line[:WIDTH] for line in output.strip().splitlines()]
    telling = [line for line in lines[:-LAST] if TELLING.match(line.strip())][:TELLING_MOST]
    print(f"{what}: {name}; of its output:")
    print("".join(f"    {line}\n" for line in telling + ["..."] * bool(telling) + lines[-LAST:]), end="")


def failures(log):
    """{test: what it said} of all attempts that failed."""
    if not log.exists():
        return {}
    pieces = re.split(r"(?m)^(?: *\d+/\d+)? +Test +#\d+: (\S+) \.+(.*)$|^ +Start +\d+: .*$", log.read_text(errors="replace"))
    return {name: said for name, how, said in zip(pieces[1::3], pieces[2::3], pieces[3::3]) if name and how.startswith("*")}


broken, files = int(sys.argv[1]), sys.argv[2:]
passed = failed = skipped = again = 0
for name in files:
    at_first = failures(pathlib.Path(name).with_suffix(".log"))
    for case in xml.parse(name).getroot().iter("testcase"):
        status, output = case.get("status"), case.findtext("system-out") or ""
        if status == "run":
            passed += 1
            parts = [line[:WIDTH] for line in output.splitlines() if line.startswith(AGAIN)]
            if case.get("name") in REPEATING:
                continue
            again += bool(parts) or case.get("name") in at_first
            if case.get("name") in at_first:
                show("passed at the second attempt only", case.get("name"), at_first[case.get("name")])
            print("".join(f"{line}\n" for line in parts), end="")
        elif status in ("notrun", "disabled"):
            skipped += 1
            print(f"unexpected skip: {case.get('name')}")
        else:
            failed += 1
            show("failed", case.get("name"), output)
if broken and not failed:
    failed = broken
    print("a step broke before its tests ran")
if again:
    print(f"of those that passed, {again} did so at the second attempt only, or a part of them")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or skipped or not passed else 0)
