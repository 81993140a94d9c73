#!/usr/bin/env python3
"""The command-line tool: what each command prints and returns, and that help and manual say the same.

usage: test-tool.py GANTRY PLUGINS-FOLDER MANUAL"""
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

GANTRY, PLUGINS, MANUAL = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])

MEMORY = PLUGINS / "gantry-memory.so"


def run(*arguments):
    return subprocess.run([GANTRY, *map(str, arguments)], text=True, capture_output=True, timeout=100)


class Tool(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def expect(self, status, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, status, done)
        if status:
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("gantry"), done.stderr)
        else:
            self.assertEqual(done.stderr, "")
        return done.stdout if status == 0 else done.stderr

    def test_wrong_command_lines_are_2(self):
        for arguments in ([], ["nonsense"], ["plugin"], ["plugin", "nonsense"], ["keygen"], ["keygen", "a", "b"],
                          ["keygen", "-x"], ["plugin", "list", "x"], ["plugin", "list", "--x"],
                          ["plugin", "list", "--path"], ["plugin", "info"], ["plugin", "info", "a", "b"],
                          ["version", "x"], ["help", "nonsense"], ["events", "x"], ["events", "-n"], ["events", "-n", "x"],
                          ["events", "-n", "-1"], ["events", "--nonsense"], ["events", "--config"],
                          ["events", "--config", self.folder / "no-file"],
                          ["plugin", "new"], ["plugin", "new", "a", "b"], ["plugin", "new", "--lang", "rust", "a"],
                          ["plugin", "new", "--lang"], ["plugin", "new", "--x", "a"], ["plugin", "new", ""],
                          ["plugin", "new", "Upper"], ["plugin", "new", "a/b"], ["plugin", "new", "1st"],
                          ["plugin", "new", "a" * 64], ["plugin", "run"], ["plugin", "run", "memory"],
                          ["plugin", "run", MEMORY, "fly"], ["plugin", "run", MEMORY, "inspect"],
                          ["plugin", "run", MEMORY, "start"], ["plugin", "run", MEMORY, "list", "x"],
                          ["plugin", "run", MEMORY, "logs", "x", "y"], ["plugin", "run", MEMORY, "pull"],
                          ["plugin", "run", MEMORY, "remove_image", "--image", "a"],
                          ["plugin", "run", MEMORY, "list", "--label", "x"], ["plugin", "run", MEMORY, "list", "--x"],
                          ["plugin", "run", MEMORY, "list", "--timeout", "soon"], ["plugin", "run", MEMORY, "list", "--lines"],
                          ["plugin", "run", MEMORY, "start", "--image", "a", "--pull", "often"],
                          ["plugin", "run", MEMORY, "start", "--image", "a", "--secret-env", "A=hunter2"],
                          ["plugin", "run", MEMORY, "start", "--image", "a", "--secret-env", "A=env:NOT_THERE"],
                          ["plugin", "run", self.folder / "gantry-none.so", "list"],
                          ["plugin", "run", MEMORY, "list", "--config", self.folder / "no-file"],
                          ["plugin", "test"], ["plugin", "test", "a", "b"], ["plugin", "test", "--x"],
                          ["plugin", "test", MEMORY, "--jobs", "0"], ["plugin", "test", MEMORY, "--jobs", "x"],
                          ["plugin", "test", MEMORY, "--only", "nothing"], ["plugin", "test", MEMORY, "--only", "start."],
                          ["plugin", "test", MEMORY, "--format", "xml"], ["plugin", "test", MEMORY, "--config"],
                          ["plugin", "test", self.folder / "gantry-none.so"],
                          ["plugin", "test", MEMORY, "--config", self.folder / "no-file"]):
            self.expect(2, *arguments)

    def test_version_is_the_headers(self):
        self.assertRegex(self.expect(0, "version"), r"^gantry \d+\.\d+\.\d+, plugin ABI \d+\.\d+\n$")
        self.assertEqual(self.expect(0, "version"), self.expect(0, "--version"))

    def test_key_is_private_and_never_overwritten(self):
        key = self.folder / "key.pem"
        self.expect(0, "keygen", key)
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        text = key.read_text()
        self.assertTrue(text.startswith("-----BEGIN PRIVATE KEY-----"))
        self.assertIn(str(key), self.expect(1, "keygen", key))
        self.assertEqual(key.read_text(), text)
        self.expect(1, "keygen", self.folder / "none" / "key.pem")

    def test_list_shows_order_result_and_reason(self):
        shutil.copy(PLUGINS / "gantry-memory.so", self.folder)
        text = self.expect(0, "plugin", "list", "--path", self.folder, "--path", PLUGINS, "--path", PLUGINS / "refused")
        rows = re.findall(r"^ *(\d+)  (\S+) +(\S+) +(/.*)$", text, flags=re.M)
        self.assertEqual(rows[0][:3], ("1", "memory", "ok"))
        self.assertEqual(rows[0][3], str(self.folder / "gantry-memory.so"))
        results = {row[3]: row[2] for row in rows}
        self.assertEqual(results[str(PLUGINS / "gantry-memory.so")], "shadowed")
        for name in ("missing-stop", "wrong-name", "no-table", "bad-setting", "no-entry"):
            self.assertEqual(results[str(PLUGINS / "refused" / f"gantry-{name}.so")], "refused")
        self.assertIn("plugin 'memory' has ABI version 2, this Gantry has 1", text)
        verbose = self.expect(0, "plugin", "list", "-v", "--path", self.folder, "--path", "/nowhere")
        self.assertIn("/nowhere (is not a folder)", verbose)
        self.assertIn("keeps workloads in memory, as an example; version", verbose)

    def test_info_is_the_manual(self):
        by_name = self.expect(0, "plugin", "info", "--path", PLUGINS, "memory")
        self.assertTrue(by_name.startswith("memory - keeps workloads in memory, as an example\n"), by_name)
        self.assertEqual(by_name, self.expect(0, "plugin", "info", PLUGINS / "gantry-memory.so"))

    def test_info_of_what_does_not_load_is_2(self):
        self.assertIn(str(self.folder), self.expect(2, "plugin", "info", "--path", self.folder, "nothing"))
        self.expect(2, "plugin", "info", PLUGINS / "refused" / "gantry-memory.so")
        copy = shutil.copy(PLUGINS / "gantry-memory.so", self.folder)
        os.chmod(copy, 0o777)
        self.assertIn("chmod go-w", self.expect(2, "plugin", "info", copy))

    def settings(self, text):
        path = self.folder / "test.ini"
        path.write_text(text)
        return path

    def test_run_shows_what_is_emitted_and_says_how_it_failed(self):
        (self.folder / "secret").write_text("hunter2\n")
        done = run("plugin", "run", "-v", MEMORY, "start", "--image", "example/one:1", "--name", "n\u00e4me", "--label", 'q="\\',
                   "--secret-env", f"S=file:{self.folder}/secret")
        self.assertEqual(done.returncode, 0, done)
        status = json.loads(done.stdout)
        self.assertEqual((status["emitted"], status["name"], status["state"]), ("status", "n\u00e4me", "running"))
        self.assertEqual(status["labels"]["q"], '"\\')
        self.assertEqual(status["labels"]["opencti-manager"], "gantry-plugin-run")
        self.assertIn("start", done.stderr)
        self.assertNotIn("hunter2", done.stdout + done.stderr)
        self.assertEqual(self.expect(0, "plugin", "run", MEMORY, "list"), "")
        self.assertRegex(self.expect(1, "plugin", "run", MEMORY, "inspect", "none"),
                         "^gantry plugin run: inspect: not found: .*")
        settings = self.settings("[backend memory]\nnonsense = 1\n")
        self.assertIn("test.ini:2:", self.expect(2, "plugin", "run", MEMORY, "list", "--config", settings))

    def test_list_of_promises_is_what_is_tried_in_its_order(self):
        listed = [json.loads(line) for line in self.expect(0, "plugin", "test", "--list", "--format", "json").splitlines()]
        names = [promise["promise"] for promise in listed]
        self.assertEqual(len(set(names)), len(names))
        text = self.expect(0, "plugin", "test", "--list", "--only", "start")
        self.assertEqual([line.split()[0] for line in text.splitlines()], [n for n in names if n.startswith("start.")])
        tried = self.expect(0, "plugin", "test", "--format", "json", "--only", "stop", "--only", names[0], "-j", "3", MEMORY)
        self.assertEqual([json.loads(line)["promise"] for line in tried.splitlines()],
                         [n for n in names if n.startswith("stop.") or n == names[0]])

    def test_crash_breaks_its_promise_and_no_other(self):
        done = run("plugin", "test", "--only", "list", "--only", "logs", "--format", "json", PLUGINS / "gantry-crashing.so")
        self.assertEqual(done.returncode, 1, done)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({r["outcome"] for r in results if r["promise"].startswith("list.")} - {"not offered"}, {"ok"})
        broken = [r["detail"] for r in results if r["outcome"] == "failed"]
        self.assertTrue(broken)
        for detail in broken:
            self.assertRegex(detail, r"^the process ended by signal 6 \(ABRT\)$")

    def test_interrupt_ends_a_test_in_order(self):
        process = subprocess.Popen([GANTRY, "plugin", "test", "-j", "1", MEMORY], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=100)
        self.assertEqual((process.returncode, err), (1, "gantry plugin test: interrupted\n"))
        self.assertRegex((first + rest).splitlines()[-1], r"^\d+ promises: ")

    def test_full_disk_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([GANTRY, "help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=100)
        self.assertEqual(done.returncode, 1)

    def test_help_and_manual_name_the_same(self):
        manual = MANUAL.read_text(encoding="utf-8")
        listed = re.findall(r"^  gantry ((?:\S+ )*\S+)  ", self.expect(0, "help"), flags=re.M)
        headings = re.findall(r"^### gantry (.*)$", manual, flags=re.M)
        usages = []
        for command in listed:
            text = self.expect(0, "help", *command.split())
            usages.append(text.splitlines()[0][len("gantry "):])
            self.assertEqual(text, self.expect(0, *command.split(), "--help"))
            section = manual.split(f"### gantry {usages[-1]}\n")[1].split("\n#")[0]
            in_help = set(re.findall(r"(?<![\w-])-{1,2}[a-z]+", text))
            in_manual = set(re.findall(r"(?<![\w-])-{1,2}[a-z]+", section.split("is the same")[-1]))
            self.assertEqual(in_help, in_manual, command)
        self.assertEqual(usages, headings)
        for code in "012":
            self.assertRegex(manual, rf"(?m)^\| {code} \|")


sys.argv = sys.argv[:1]
unittest.main()
