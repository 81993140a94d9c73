#!/usr/bin/env python3
"""Add up ctest's JUnit files.  A skip that nobody expects, or a step that broke, is a failure."""
import sys
import xml.etree.ElementTree as xml

broken, files = int(sys.argv[1]), sys.argv[2:]
passed = failed = skipped = 0
for name in files:
    for case in xml.parse(name).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status in ("notrun", "disabled"):
            skipped += 1
            print(f"unexpected skip: {case.get('name')}")
        else:
            failed += 1
            print(f"failed: {case.get('name')}")
if broken and not failed:
    failed = broken
    print("a step broke before its tests ran")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or skipped or not passed else 0)
