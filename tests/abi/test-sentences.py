#!/usr/bin/env python3
"""Each sentence of the plugin ABI's headers has something that checks it (sentences.txt), which exists; and what cannot
be checked is in docs/plugin-abi.md, with the same reason.

usage: test-sentences.py GANTRY CTEST BUILD ROOT"""
import itertools
import pathlib
import re
import subprocess
import sys
import unittest

from sentences import sentences

GANTRY, CTEST, BUILD = sys.argv[1:4]
ROOT = pathlib.Path(sys.argv[4])
TABLE = ROOT / "tests/abi/sentences.txt"
MARK = "<!-- unchecked sentences: {} -->"


def rows():
    """[(header, sentence, what is below it)]"""
    found, header = [], None
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    for line, below in itertools.zip_longest(lines, lines[1:], fillvalue=""):
        if line.startswith("== "):
            header = line[3:]
        elif not line.startswith("    "):
            found.append((header, line, below.strip() if below.startswith("    ") else ""))
    return found


def listed(*command):
    return subprocess.run(command, text=True, capture_output=True, check=True, timeout=60).stdout


class Sentences(unittest.TestCase):
    maxDiff = None

    def test_table_has_each_sentence_of_the_headers_and_no_other(self):
        self.assertEqual(sentences(ROOT / "include"), [row[:2] for row in rows()],
                         "give the new sentence of the header a row in tests/abi/sentences.txt, and what checks it")

    def test_what_checks_them_exists(self):
        known = {line.split()[0] for line in listed(GANTRY, "plugin", "test", "--list").splitlines() if line}
        known |= set(re.findall(r"^ *Test +#\d+: (\S+)", listed(CTEST, "--test-dir", BUILD, "-N"), re.M))
        for _, sentence, checks in rows():
            with self.subTest(sentence):
                self.assertTrue(checks, "nothing checks it")
                if checks != "heading" and not checks.startswith("unchecked: "):
                    self.assertEqual([name for name in checks.split() if name not in known], [], "not known")

    def test_guide_lists_what_is_not_checked(self):
        text = (ROOT / "docs/plugin-abi.md").read_text()
        block = text.partition(MARK.format("begin"))[2].partition(MARK.format("end"))[0]
        shown = [" ".join(part.split()) for part in re.findall(r"^- (.*?)(?=^- |\Z)", block, re.M | re.S)]
        wanted = [f"`{header}`: \u201c{sentence}\u201d {checks.partition(': ')[2]}" for header, sentence, checks in rows()
                  if checks.startswith("unchecked: ")]
        self.assertEqual(shown, wanted)


unittest.main(argv=sys.argv[:1])
