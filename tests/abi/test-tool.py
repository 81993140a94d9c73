#!/usr/bin/env python3
"""The command-line tool: what each command prints and returns, and that help and manual say the same.

usage: test-tool.py GANTRY PLUGINS-FOLDER MANUAL"""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

GANTRY, PLUGINS, MANUAL = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


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
                          ["events", "--config", self.folder / "no-file"]):
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
        self.assertIn("plugin 'memory' has ABI version 1, this Gantry has 0", text)
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
