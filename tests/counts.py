#!/usr/bin/env python3
"""Add up ctest's JUnit files.  A skip that nobody expects, or a step that broke, is a failure.  What passed only when it
was tried again, by the log NAME.log beside NAME.xml, is told with what it said at first."""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

LAST = 12  # lines of what a failed test said: of a long output only the end may be kept


def show(what, name, output):
    print(f"{what}: {name}; its output ends so:")
    print("".join(f"    {line}\n" for line in output.strip().splitlines()[-LAST:]), end="")


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
        status = case.get("status")
        if status == "run":
            passed += 1
            if case.get("name") in at_first:
                again += 1
                show("passed at the second attempt only", case.get("name"), at_first[case.get("name")])
        elif status in ("notrun", "disabled"):
            skipped += 1
            print(f"unexpected skip: {case.get('name')}")
        else:
            failed += 1
            show("failed", case.get("name"), case.findtext("system-out") or "")
if broken and not failed:
    failed = broken
    print("a step broke before its tests ran")
print(f"{passed} passed{f' ({again} at the second attempt only)' if again else ''}, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or skipped or not passed else 0)
