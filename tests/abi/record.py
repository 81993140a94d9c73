#!/usr/bin/env python3
"""The public headers and the libraries, compared with what tests/abi/recorded says of them.

usage: record.py check|write [OPTION]... [--library FILE HEADER...]...
  check              fail on what breaks those who were compiled earlier, and on additions that are not yet recorded
  write              record the additions; what breaks somebody is refused
  --cc CC            the C compiler, with its flags (cc)
  --abidiff          the types and the libraries by abigail-tools too; the libraries have debug information
  --include FOLDER   of gantry/*.h (that of this source tree)
  --recorded FOLDER  (tests/abi/recorded)
  --library FILE HEADER...  a library, and the headers that it implements

The record of the plugin ABI is recorded/plugin-abi-MAJOR.*, that of a library recorded/SONAME.*: another major
version begins with a new record, and the old one stays for those who support it."""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import abi_facts

HERE = pathlib.Path(__file__).resolve().parent
ABIDW = ["abidw", "--no-architecture", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
         "--exported-interfaces-only", "--drop-private-types"]
# What abidiff's exit status says (abigail's documentation).
ABIDIFF_ERROR, ABIDIFF_CHANGE, ABIDIFF_INCOMPATIBLE = 3, 4, 8


def say(text):
    print(text, file=sys.stderr)


class Record:
    """One subject: its facts, and where abidiff is used its dump."""

    def __init__(self, name, options, headers, library=None):
        self.name, self.options, self.headers, self.library = name, options, headers, library
        self.text = options.recorded / f"{name}.txt"
        self.dump = options.recorded / f"{name}.abi"
        self.facts = abi_facts.facts(options.cc.split(), options.include, headers)

    def compare_facts(self):
        """The broken things and the added ones, one line each."""
        if not self.text.exists():
            return [], [f"{self.name} has no record yet"]
        old = abi_facts.parse(self.text.read_text())
        broken, added = abi_facts.compare(old, self.facts)
        added = [f"{key} is new" for key in added]
        if not broken and not added and old != self.facts:
            added = [f"{key} was {old[key]}, it is {fact}" for key, fact in self.facts.items() if old[key] != fact]
        return broken, added

    def compare_dump(self):
        """The same by abidiff.  What it shows of types is judged by the facts, and only recorded here."""
        if not self.dump.exists():
            return [], [f"{self.dump.name} is not there yet"]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["abidiff", "--no-architecture", "--no-show-locs", "--drop-private-types",
                                   "--exported-interfaces-only", "--headers-dir2", str(self.options.include / "gantry"), str(self.dump),
                                   str(self.shared_object(folder))], text=True, capture_output=True)
        report = f"{self.name} by abidiff:\n{done.stdout}{done.stderr}"
        if done.returncode & ABIDIFF_ERROR:
            raise abi_facts.Unreadable(report)
        if done.returncode & ABIDIFF_INCOMPATIBLE:
            return [report], []
        return [], [report] if done.returncode & ABIDIFF_CHANGE else []

    def compare(self):
        broken, added = self.compare_facts()
        if self.options.abidiff:
            broken_dump, added_dump = self.compare_dump()
            broken, added = broken + broken_dump, added + added_dump
        return broken, added

    def write(self):
        self.text.write_text(abi_facts.render(self.facts))
        if self.options.abidiff:
            with tempfile.TemporaryDirectory() as folder:
                dump = abi_facts.run([*ABIDW, "--headers-dir", str(self.options.include / "gantry"),
                                      str(self.shared_object(folder))])
            # Where it was built is nobody's business.
            self.dump.write_text(re.sub(r"(?<= path=')/[^']*/(?=(?:core|include)/)", "", dump))

    def shared_object(self, folder):
        """The library; or, for headers alone, a shared object that uses each of their structs and functions."""
        if self.library:
            return self.library
        lines = []
        for key in self.facts:
            kind, name = key.split(" ", 1)
            if kind == "struct" and "." not in name:
                lines.append(f"extern struct {name} a_{name}; struct {name} a_{name};")
            elif kind == "inline":
                lines.append(f"extern __typeof__({name}) *const the_{name}; __typeof__({name}) *const the_{name} = {name};")
        for enum in sorted(set(re.findall(r"^enum (\w+)", self.source(), flags=re.M))):
            lines.append(f"extern enum {enum} an_{enum}; enum {enum} an_{enum};")
        file = pathlib.Path(folder) / "types.so"
        abi_facts.run([*self.options.cc.split(), "-g", "-O0", "-shared", "-fPIC", "-w", "-I", str(self.options.include),
                       "-x", "c", "-", "-o", str(file)], abi_facts.includes(self.headers) + "\n".join(lines) + "\n")
        return file

    def source(self):
        return "".join((self.options.include / "gantry" / header).read_text() for header in self.headers)


def soname(library):
    found = re.search(r"\(SONAME\).*\[(.*)\]", abi_facts.run(["readelf", "-dW", library]))
    return found.group(1) if found else pathlib.Path(library).name


def records(options):
    plugin_h = (options.include / "gantry" / "plugin.h").read_text()
    major = re.search(r"#define GANTRY_ABI_MAJOR (\d+)", plugin_h).group(1)
    yield Record(f"plugin-abi-{major}", options, abi_facts.closure(options.include, "plugin.h"))
    for file, *headers in options.library:
        yield Record(soname(file), options, headers, file)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("action", choices=("check", "write"))
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--abidiff", action="store_true")
    parser.add_argument("--include", type=pathlib.Path, default=HERE.parent.parent / "include")
    parser.add_argument("--recorded", type=pathlib.Path, default=HERE / "recorded")
    parser.add_argument("--library", nargs="+", action="append", default=[])
    options = parser.parse_args()
    failed = False
    for record in records(options):
        broken, added = record.compare()
        for line in broken:
            say(f"BROKEN {record.name}: {line}")
        if broken:
            failed = True
        elif options.action == "write":
            record.write()
        else:
            for line in added:
                say(f"NEW {record.name}: {line}")
            failed = failed or bool(added)
        if broken:
            say(f"{record.name}: what was compiled earlier would not work with this; see tests/abi/README.md, 'A change "
                "of the headers'")
        elif added and options.action == "check":
            say(f"{record.name}: that breaks nobody; record it: cmake --build build/debug --target abi-record")
    sys.exit(failed)


if __name__ == "__main__":
    try:
        main()
    except abi_facts.Unreadable as problem:
        sys.exit(f"record.py: {problem}")
