#!/usr/bin/env python3
"""Write a linker version script that exports exactly the functions marked GANTRY_API in the given headers."""
import re
import sys

out, headers = sys.argv[1], sys.argv[2:]
names = set()
for header in headers:
    with open(header, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    for declaration in re.findall(r"\bGANTRY_API\b([^;{]*)", text):
        match = re.search(r"\b(gantry_[a-z0-9_]+)\s*\(", declaration)
        if match:
            names.add(match.group(1))
with open(out, "w", encoding="utf-8") as f:
    f.write("{\n")
    if names:
        f.write("  global:\n" + "".join(f"    {name};\n" for name in sorted(names)))
    f.write("  local: *;\n};\n")
