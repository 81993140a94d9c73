#!/usr/bin/env python3
"""Each public header compiles alone and twice, in C99, C11 and C++17, without a warning.

usage: test-headers.py INCLUDE-FOLDER C-COMPILER C++-COMPILER"""
import pathlib
import subprocess
import sys

include, cc, cxx = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wstrict-prototypes", "-Wundef", "-Werror"]
LANGUAGES = [
    ([cc, "-std=c99", "-x", "c"], WARNINGS),
    ([cc, "-std=c11", "-x", "c"], WARNINGS),
    ([cxx, "-std=c++17", "-x", "c++"], [w for w in WARNINGS if w not in ("-Wshadow", "-Wstrict-prototypes")]),
]
headers = sorted((include / "gantry").glob("*.h"))
assert headers, f"no header in {include}/gantry"
failed = 0
for header in headers:
    line = f"#include <gantry/{header.name}>\n"
    for compiler, warnings in LANGUAGES:
        command = compiler + warnings + ["-fsyntax-only", "-I", str(include), "-"]
        run = subprocess.run(command, input=line * 2, text=True, capture_output=True)
        if run.returncode:
            failed += 1
            print(f"{header.name}: {' '.join(compiler)}\n{run.stderr}")
print(f"{len(headers)} headers, {failed} failures")
sys.exit(failed != 0)
