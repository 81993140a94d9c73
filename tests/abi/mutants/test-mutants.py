#!/usr/bin/env python3
"""The kit can fail: each mutant of the template's plugin fails the promise that it breaks, by its name; the plugin
itself, in C and in C++, fails none, and slow ones are not taken for broken ones.

usage: test-mutants.py GANTRY ROOT CC CXX [FLAG...] [--only TEXT]"""
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from mutants import KEPT, MUTANTS

Seen = collections.namedtuple("Seen", "outcomes details")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow"]


class Bench:
    def __init__(self, gantry, root, cc, cxx, flags, folder):
        self.gantry, self.include, self.flags, self.folder = gantry, root / "include", flags, folder
        self.compilers = {"c": [cc, "-std=c99", "-Wconversion"], "c++": [cxx, "-std=c++17"]}
        template = root / "templates/plugin"
        self.sources = {"c": template / "c/plugin.c.in", "c++": template / "c++/plugin.cc.in"}
        self.settings = folder / "test.ini"
        self.settings.write_text(self.instance(template / "test.ini.in"))

    def instance(self, path):
        return path.read_text().replace("@NAME@", "demo").replace("@IDENT@", "demo")

    def build(self, name, text, language="c", strict=True):
        folder = self.folder / name.replace(" ", "-")
        folder.mkdir(mode=0o755)
        source, plugin = folder / f"demo.{language}", folder / "gantry-demo.so"
        source.write_text(text)
        command = [*self.compilers[language], *(WARNINGS + ["-Werror"] if strict else ["-w", "-D_GNU_SOURCE"]), *self.flags, "-g", "-shared",
                   "-fPIC", "-fvisibility=hidden", "-I", self.include, "-o", plugin, source]
        done = subprocess.run(command, text=True, capture_output=True)
        if done.returncode != 0:
            raise ValueError(f"'{name}' does not compile\n{done.stderr}")
        return plugin

    def test(self, plugin, *options):
        done = subprocess.run([self.gantry, "plugin", "test", plugin, "--config", self.settings, "--format", "json", "--jobs", "1",
                               *options], text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        if not rows or done.returncode not in (0, 1):
            raise ValueError(f"the kit ends with {done.returncode}: {done.stderr}")
        return Seen({row["promise"]: row["outcome"] for row in rows}, {row["promise"]: row.get("detail", "") for row in rows})

    def whole(self, language):
        seen = self.test(self.build(f"whole {language}", self.instance(self.sources[language]), language))
        return [f"the plugin in {language} fails {name}: {seen.details[name]}"
                for name, outcome in seen.outcomes.items() if outcome == "failed"]

    def mutant(self, row):
        """What is wrong with the kit or the mutant, or None; and a line of the table."""
        try:
            return self.try_mutant(row)
        except (ValueError, KeyError, subprocess.TimeoutExpired) as problem:
            return f"mutant '{row[0]}': {problem}", ""

    def try_mutant(self, row):
        name, promise, changes = row
        kept = row in KEPT
        text = self.instance(self.sources["c"])
        for old, new in changes:
            if text.count(old) != 1:
                return f"mutant '{name}': the template has {text.count(old)} times: {old}", ""
            text = text.replace(old, new)
        plugin = self.build(name, text, strict=False)
        seen = self.test(plugin, "--only", promise)
        if kept:
            wrong = seen.outcomes[promise] != "ok"
            return (f"'{name}': {promise} is {seen.outcomes[promise]}, and it is kept: {seen.details[promise]}" if wrong else None), name
        if seen.outcomes[promise] == "failed":
            return None, f"{name}\n    {promise}: {seen.details[promise]}"
        failed = [known for known, outcome in self.test(plugin).outcomes.items() if outcome == "failed"]
        return f"mutant '{name}': {promise} is {seen.outcomes[promise]}; it fails {failed or 'none'}", ""


def main(gantry, root, cc, cxx, *rest):
    only = rest[rest.index("--only") + 1] if "--only" in rest else ""
    flags = [word for word in rest if word.startswith("-f")]
    rows = [row for row in MUTANTS + KEPT if only in row[0] or only in row[1]]
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        pathlib.Path(name).chmod(0o755)
        bench = Bench(gantry, pathlib.Path(root), cc, cxx, flags, pathlib.Path(name))
        problems = bench.whole("c") + (bench.whole("c++") if cxx else [])
        for problem, line in pool.map(bench.mutant, rows):
            print(line or problem, flush=True)
            problems += [problem] if problem else []
    names = [row[0] for row in MUTANTS + KEPT]
    assert len(names) == len(set(names)), "two mutants have one name"
    print(f"{len(rows)} mutants, {len({row[1] for row in rows})} promises, {len(problems)} problems")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


sys.exit(main(*sys.argv[1:]))
