#!/usr/bin/env python3
"""docs/plugins.md: its C is one plugin that compiles without a warning and keeps its promises, and its commands are run,
in their order, by somebody who has only the installed files.

usage: test-plugins.py CMAKE BUILD-FOLDER CC [FLAG...]"""
import json
import pathlib
import re
import sys
import unittest

import manual
from boxd import Boxd

sys.path.insert(0, str(manual.ROOT / "tests/abi"))
from installed import Installed # noqa: E402

CMAKE, BUILD, CC, *FLAGS = sys.argv[1:]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
PAGE = "docs/plugins.md"
TOKEN = "sesame-9f2e"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", manual.text(PAGE), re.M | re.S)


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installed(CMAKE, BUILD)
        cls.addClassCleanup(cls.here.remove)
        cls.work = cls.here.folder / "work"
        (cls.work / "checked").mkdir(parents=True)
        (cls.work / "boxes.c").write_text("\n".join(blocks("c")))
        cls.boxd = Boxd(TOKEN)
        cls.addClassCleanup(cls.boxd.server_close)
        cls.addClassCleanup(cls.boxd.shutdown)
        cls.ini = blocks("ini")[0].replace("http://127.0.0.1:7070", cls.boxd.url)
        (cls.work / "boxes.ini").write_text(cls.ini)

    def run_here(self, *words, **more):
        return self.here.run(*words, cwd=self.work, BOXD_TOKEN=TOKEN, CMAKE_PREFIX_PATH=str(self.here.prefix),
                             PATH=f"{self.here.bin}:{self.here.environment['PATH']}", **more)

    def build(self):
        flags = self.run_here("pkg-config", "--cflags", "gantry-plugin").split()
        self.run_here(CC, *STRICT, "-shared", "-fPIC", "-fvisibility=hidden", *flags, "-o", "gantry-boxes.so", "boxes.c")

    def test_pieces_of_c_are_one_plugin_that_keeps_its_promises(self):
        self.build()
        text = self.run_here("gantry", "plugin", "test", "./gantry-boxes.so", "--config", "boxes.ini", "--format", "json")
        outcomes = [json.loads(line)["outcome"] for line in text.splitlines()]
        self.assertNotIn("failed", outcomes)
        self.assertGreater(outcomes.count("ok"), outcomes.count("not offered"))
        self.assertEqual(self.boxd.boxes, {})

    def test_commands_work_in_their_order(self):
        page = manual.text(PAGE)
        commands = "\n".join(blocks("sh"))
        self.assertIn("gantry plugin new demo", commands)
        self.assertGreater(page.index("-fsanitize"), page.index("gantry plugin run -v ./gantry-boxes.so"))
        printed = self.run_here("sh", "-e", "-c", commands)
        self.assertNotIn("FAILED", printed)
        self.assertNotIn(TOKEN, printed)
        emitted = [json.loads(line) for line in printed.splitlines() if line.startswith('{"emitted"')]
        self.assertIn(("status", "mine"), {(item["emitted"], item.get("name")) for item in emitted})
        self.assertIn("traits", {item["emitted"] for item in emitted})
        self.assertIn("synced", {item.get("kind") for item in emitted})
        self.run_here("gantry", "plugin", "run", "./gantry-boxes.so", "--config", "boxes.ini", "remove",
                      next(item["handle"] for item in emitted if item.get("name") == "mine"))

    def test_a_wrong_token_is_refused_and_not_shown(self):
        self.build()
        (self.work / "wrong.ini").write_text(self.ini.replace("env:BOXD_TOKEN", "wrong-4711"))
        told = self.run_here("gantry", "plugin", "run", "./gantry-boxes.so", "--config", "wrong.ini", "list", status=1)
        self.assertRegex(told, r"^gantry plugin run: list: denied: .*\n$")
        self.assertNotIn("wrong-4711", told)

    def test_keys_of_kit_are_those_of_the_kit(self):
        table = manual.text("core/conformance/settings.c")
        known = {key: fallback or "" for key, fallback in
                 re.findall(r'\.key = "(\w+)"(?:,\s+\.fallback = "([^"]*)")?', table)}
        chapter = dict(manual.chapters(manual.text(PAGE)))["Building it, and testing it"]
        page = {manual.words(row["key"])[0]: row["default"].strip("`") for row in manual.rows(chapter)}
        self.assertEqual(page, known)


unittest.main(argv=sys.argv[:1])
