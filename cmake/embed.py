#!/usr/bin/env python3
"""Write a C file that holds text files as constants: embed.py OUT.c PREFIX FILE...

current-status.graphql becomes `const char PREFIXcurrent_status[]`.
"""
import os
import sys

out, prefix, files = sys.argv[1], sys.argv[2], sys.argv[3:]
lines = ["/* Made by cmake/embed.py: do not edit. */"]
for path in sorted(files):
    name = prefix + os.path.splitext(os.path.basename(path))[0].replace("-", "_")
    lines += ["", f"extern const char {name}[];", f"const char {name}[] ="]
    with open(path, encoding="utf-8") as f:
        for line in f.read().splitlines():
            line = line.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'    "{line}\\n"')
    lines[-1] += ";"
os.makedirs(os.path.dirname(out), exist_ok=True)
with open(out, "w", encoding="utf-8") as f:
    f.write("\n".join(lines) + "\n")
