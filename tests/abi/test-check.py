#!/usr/bin/env python3
"""The vectors of tests/vectors, from outside: `gantry connect check` tells every case of check/ what is wrong and
where, all in one run; `gantry connect map` gives what every example of mapping/seed.test says.

usage: test-check.py GANTRY"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

GANTRY = sys.argv[1]
VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"


def run(*arguments, stdin=""):
    return subprocess.run([GANTRY, "connect", *map(str, arguments)], input=stdin, text=True, capture_output=True,
                          timeout=300)


def cases(path):
    """(name, {section: text}) of a file; the text before the first section is "" of it."""
    for block in re.split(r"^(?==== )", path.read_text(), flags=re.M):
        if not block:
            continue
        name, _, rest = block[4:].partition("\n")
        parts = re.split(r"^--- (\w+)\n", rest, flags=re.M)
        texts = dict(zip([""] + parts[1::2], parts[0::2]))
        yield name, {section: text.removesuffix("\n") if section == "" else text.rstrip("\n")
                     for section, text in texts.items()}


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def write_cases(self, *names):
        """A file a case that holds for the version that is written in it: {path: its lines of problems}."""
        expected = {}
        for name in names:
            for title, sections in cases(VECTORS / "check" / f"{name}.test"):
                if "2" in sections.get("versions", "2") or "connect/v0.2" not in sections[""]:
                    file = self.folder / f"{name}-{len(expected)}.graphql"
                    file.write_text(sections[""])
                    expected[str(file)] = (title, sections["problems"])
        return expected

    def check(self, *names):
        expected = self.write_cases(*names)
        done = run("check", "--format", "json", *expected)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([one["file"] for one in told], list(expected), done.stderr)
        errors = 0
        for one in told:
            title, problems = expected[one["file"]]
            lines = [("note " if p["severity"] == "note" else "") + f"{p['code']} {p['line']}:{p['column']}"
                     for p in one["problems"]]
            self.assertEqual("\n".join(lines), problems, title)
            for p in one["problems"]:
                self.assertEqual(sorted(p), ["code", "column", "line", "message", "severity"])
                self.assertNotIn("\n", p["message"])
                errors += p["severity"] == "error"
        self.assertEqual((done.returncode, done.stderr), (1 if errors else 0, ""))

    def test_every_vector_holds_in_one_run_over_all_files(self):
        self.check(*sorted(file.stem for file in (VECTORS / "check").glob("*.test")))

    def test_schemas_without_a_mistake_say_nothing(self):
        expected = self.write_cases("seed")
        right = [file for file, (_, problems) in expected.items() if not problems]
        self.assertGreater(len(right), 10)
        done = run("check", "--format", "json", *right)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                         [{"file": file, "problems": []} for file in right])

    def test_ten_mistakes_are_told_with_their_lines(self):
        [(file, (_, problems))] = self.write_cases("ten-mistakes").items()
        done = run("check", file)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        source = pathlib.Path(file).read_text().splitlines()
        told = re.findall(r"^(.*):(\d+):(\d+): error: (.*) \[(\w+)\]\n(.*)\n([ \t]*)(\^+)$", done.stdout, re.M)
        self.assertEqual([f"{code} {line}:{column}" for _, line, column, _, code, *_ in told], problems.splitlines())
        self.assertEqual(len({code for *_, code, _, _, _ in told}), 10)
        for name, line, column, _, _, excerpt, before, carets in told:
            self.assertEqual(name, file)
            marked = excerpt[len(before):len(before) + len(carets)]
            self.assertEqual(len(marked), len(carets))
            self.assertTrue(source[int(line) - 1].startswith(marked, int(column) - 1), marked)


class Seed(unittest.TestCase):
    def test_every_example_of_a_mapping_gives_what_it_says(self):
        count = 0
        for name, sections in cases(VECTORS / "mapping/seed.test"):
            variables = [word for line in sections.get("variables", "").splitlines() for word in ("--var", line)]
            done = run("map", *variables, "--", sections[""], stdin=sections.get("input", "{}"))
            if "error" in sections:
                self.assertEqual((done.returncode, done.stdout), (2, ""), name)
                self.assertIn(sections["error"], done.stderr, name)
            else:
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)
                self.assertEqual(json.loads(done.stdout), json.loads(sections["output"]), name)
            count += 1
        self.assertGreater(count, 30)


unittest.main(argv=sys.argv[:1])
