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


LINKS = """extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"])
  @link(url: "https://specs.apollo.dev/connect/v0.2", import: ["@source", "@connect"])
"""
GOOD = LINKS + """type Query {
  cranes: [Crane] @connect(http: {GET: "https://yard.example/cranes"}, selection: "id name: title")
}
type Crane { id: ID name: String }
"""
BAD = LINKS + """type Query {
\t"ü" cranes: [Crane] @connect(http: {GET: "yard/\tcranes"}, selection: \"\"\"
    id
    näme: title->first(
  \"\"\")
}
type Crane { id: ID name: String }
"""


class Check(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, name, text):
        path = self.folder / name
        path.write_bytes(text.encode())
        return path

    def test_a_schema_without_errors_passes(self):
        done = run("check", self.file("a.graphql", GOOD))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "no problems in 1 file\n", ""))
        done = run("check", "-", stdin=GOOD)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "no problems in 1 file\n", ""))

    def test_a_problem_comes_with_its_line_and_carets(self):
        path = self.file("a.graphql", BAD.replace("\n", "\r\n"))
        done = run("check", path)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertEqual(done.stdout.split("\n"), [
            f"{path}:5:43: error: Query.cranes[0]: the URL is relative, and the connector has no source; name one, or "
            "begin the URL with https:// [RELATIVE_CONNECT_URL_WITHOUT_SOURCE]",
            '  \t"ü" cranes: [Crane] @connect(http: {GET: "yard/\tcranes"}, selection: \"\"\"',
            "  \t" + " " * 41 + "^" * 14,
            f"{path}:7:6: error: Query.cranes[0]: 'selection': no part of a mapping begins with this character, at "
            '"äme: title->first(" [INVALID_SELECTION]',
            "      näme: title->first(",
            "       ^",
            "2 errors in 1 file", ""])

    def test_a_warning_fails_nothing(self):
        path = self.file("a.graphql", GOOD.replace("federation/v2.11", "federation/v2.3"))
        done = run("check", path)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "1 warning in 1 file"))
        self.assertIn(f"{path}:2:14: warning: ", done.stdout)

    def test_json_is_a_line_a_file(self):
        good, bad = self.file("good", GOOD), self.file("bad", BAD)
        done = run("check", good, "--format", "json", bad, "-", stdin="type Query { a: \"")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["file"] for line in lines], [str(good), str(bad), "-"])
        self.assertEqual(lines[0], {"file": str(good), "problems": []})
        self.assertEqual([list(line) for line in lines], [["file", "problems"]] * 3)
        for problem in lines[1]["problems"] + lines[2]["problems"]:
            self.assertEqual(list(problem), ["code", "message", "severity", "line", "column"])
        self.assertEqual([(p["code"], p["severity"], p["line"]) for p in lines[2]["problems"]],
                         [("GRAPH_QL_ERROR", "error", 1)])

    def test_what_cannot_be_read_hides_no_other(self):
        bad = self.file("bad", BAD)
        for more in ([], ["--format", "json"]):
            done = run("check", *more, self.folder / "none", bad, self.folder)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 2), done)
            self.assertIn("INVALID_SELECTION", done.stdout)
        for arguments in ([], ["--format"], ["--format", "xml", bad], ["--nonsense", bad]):
            done = run("check", *arguments)
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), done)
        done = run("check", "--", self.file("plain", GOOD))
        self.assertEqual(done.returncode, 0)

    def test_a_long_line_is_cut_and_a_terminal_obeys_nothing(self):
        long = GOOD.replace("id name: title", "id " * 500 + "(" + " name" * 500 + " \u009b31m")
        done = run("check", self.file("a", long))
        line, carets = done.stdout.splitlines()[1:3]
        self.assertEqual((line[:5], line[-3:], len(line)), ("  ...", "...", 2 + 3 + 120 + 3))
        self.assertEqual((line[carets.index("^")], carets.strip()), ("(", "^"))
        done = run("check", self.file("a", GOOD.replace("id name", "( \u009b31m\x7f id name")))
        self.assertIn("( ?31m? id name", done.stdout)


unittest.main(argv=sys.argv[:1])
