#!/usr/bin/env python3
"""`gantry connect ...`: what it prints and returns.

usage: test-connect.py GANTRY"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

GANTRY = sys.argv[1]


def run(*arguments, stdin=""):
    return subprocess.run([GANTRY, "connect", *map(str, arguments)], input=stdin, text=True, capture_output=True,
                          timeout=100)


class Connect(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def expect(self, out, *arguments, stdin=""):
        done = run(*arguments, stdin=stdin)
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, "", out), done)

    def test_map_reads_a_file_or_standard_input(self):
        file = self.folder / "in.json"
        file.write_text('{"a": {"b": 1.50}}')
        self.expect("1.50\n", "map", "a.b", file)
        self.expect("1.50\n", "map", "a.b", stdin=file.read_text())
        self.expect("1.50\n", "map", "--", "a.b", "-", stdin=file.read_text())

    def test_a_selection_may_be_a_file(self):
        file = self.folder / "selection"
        file.write_text("a { b } # c\n")
        self.expect('{"a":{"b":1}}\n', "map", f"@{file}", stdin='{"a":{"b":1,"c":2}}')
        self.expect("a {\n  b\n} # c\n", "fmt", f"@{file}")
        self.expect("[1]\n", "map", "@", stdin="[1]")
        self.expect("1\n", "map", "@->first", stdin="[1]")
        self.expect("1\n", "map", "@.a", stdin='{"a":1}')

    def test_nothing_and_null_are_two(self):
        self.expect("", "map", "$.a", stdin="{}")
        self.expect("null\n", "map", "$.a", stdin='{"a":null}')
        self.expect('{"data":null,"problems":[]}\n', "map", "--problems", "$.a", stdin='{"a":null}')

    def test_problems_have_message_path_and_range(self):
        done = run("map", "--problems", "x: $.b->map(@->map(@.c)) y: $.b->map(@->map(@.c))",
                   stdin='{"b":[[1],[{"c":"\\""}]]}')
        self.assertEqual(json.loads(done.stdout), {
            "data": {"x": [[None], ['"']], "y": [[None], ['"']]},
            "problems": [{"message": 'no key "c" in a number', "path": ["b", "->map", 0, "->map", 0, "c"],
                          "range": [20, 22]}]})
        done = run("map", "--problems", "$.a", stdin="{}")
        self.assertEqual(json.loads(done.stdout),
                         {"problems": [{"message": 'no key "a" in an object', "path": ["a"], "range": [1, 3]}]})

    def test_variables_and_versions(self):
        self.expect('{"i":1,"s":"x"}\n', "map", "--var", '$args={"i":1}', "--var", '$s="x"', "i: $args.i s: $s", stdin="{}")
        self.expect("[1]\n", "map", "--spec", "0.4", "[1]", stdin="{}")
        self.expect('{"a":"b"}\n', "map", "--spec", "v0.4", 'a: "b"', stdin="{}")
        self.expect('{"a":1}\n', "map", "--spec", "0.2", 'a: "b"', stdin='{"b":1}')
        self.expect('{"a":1}\n', "map", 'a: "b"', stdin='{"b":1}')

    def test_a_selection_that_does_not_parse_is_told_with_its_place(self):
        for command in ("map", "explain", "fmt"):
            done = run(command, "a {\n  b: é.5\n}", stdin="{}")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr.splitlines(), [
                f"gantry connect {command}: mapping, line 2, column 6: no part of a mapping begins with this character, "
                'at "é.5 }"', "    b: é.5", "       ^"])

    def test_wrong_input_is_2(self):
        for arguments, stdin in ((["map"], ""), (["map", "a"], "{"), (["map", "a", self.folder / "none"], ""),
                                 (["map", "a", self.folder], ""), (["map", "a", "b", "c"], ""),
                                 (["map", "--spec", "0.5", "a"], "{}"), (["map", "--spec"], ""),
                                 (["map", "--var", "args={}", "a"], "{}"), (["map", "--var", "$args", "a"], "{}"),
                                 (["map", "--var", "$args={", "a"], "{}"), (["map", "--nonsense", "a"], "{}"),
                                 (["explain", "--problems", "a"], "{}"), (["fmt", "--var", "$a=1", "a"], ""),
                                 (["fmt", "a", "b"], ""), (["map", f"@{self.folder}/none"], "{}")):
            done = run(*arguments, stdin=stdin)
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), done)

    def test_time_is_told_beside_the_result(self):
        done = run("map", "--time", "a", stdin='{"a":1}')
        self.assertEqual((done.returncode, done.stdout), (0, '{"a":1}\n'))
        self.assertRegex(done.stderr, r"^read [\d.]+ MB/s, map [\d.]+ MB/s, print [\d.]+ MB/s, in all [\d.]+ MB/s of 7 bytes\n$")

    def test_explain_tells_each_step(self):
        self.expect('a: {"b":[{}]}\n'
                    '.b: {"b":[{}]} -> [{}]\n'
                    "      c: nothing\n"
                    '{ c }: [{}] -> [{}]\n'
                    "result: [{}]\n"
                    'problem: no key "c" in an object, at ["a","b",0,"c"], by bytes 6 to 7\n',
                    "explain", "a.b { c }", stdin='{"a":{"b":[{}]}}')

    def test_fmt_reads_standard_input(self):
        self.expect("a\nb: c\n", "fmt", stdin=" a   b:c")
        self.expect("... a\n", "fmt", "--spec", "0.4", "...a")


unittest.main(argv=sys.argv[:1])
