#!/usr/bin/env python3
"""Write the plugin's headers as a later minor version may have them: longer structs, one more operation, one more
function of the host.

usage: make-future.py INCLUDE-FOLDER OUT-FOLDER"""
import pathlib
import re
import sys

import abi_facts

include, out = (pathlib.Path(folder) / "gantry" for folder in sys.argv[1:3])
FIELDS = {
    "gantry_plugin": "int (*future_operation)(void *self);",
    "gantry_host": "uint32_t (*future_function)(void); /* may be NULL */",
}
grown = 0


def grow(match):
    global grown
    grown += 1
    more = FIELDS.get(match.group(1), "uint64_t future_[3];")
    return f"{match.group(0)[:-len('};')]}    {more}\n}};"


crosses = set(abi_facts.closure(sys.argv[1], "plugin.h")) - {"types.h"}
out.mkdir(parents=True, exist_ok=True)
for header in sorted(include.glob("*.h")):
    text = header.read_text()
    if header.name in crosses:
        text = re.sub(r"^struct (gantry_\w+) \{\n.*?^\};", grow, text, flags=re.M | re.S)
        text = re.sub(r"(#define GANTRY_ABI_MINOR )(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}", text)
    (out / header.name).write_text(text)
assert grown > 20, f"only {grown} structs were found"
