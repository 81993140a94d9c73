#!/usr/bin/env python3
"""What README.md and the other pages name exists, and what they show works.

usage: test-readme.py GANTRYD GANTRY CC BUILD-FOLDER [FLAG...]
The flags are those that a program needs to run with the libraries of this build."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import manual

GANTRYD, GANTRY, CC, BUILD, *FLAGS = sys.argv[1:]
FOLDERS = "bench|cmake|core|daemon|docs|examples|include|plugins|tests"


def pages():
    found = [manual.ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    for folder in ("docs", "daemon", "plugins", "examples", "tests"):
        found += sorted(p for p in (manual.ROOT / folder).rglob("*.md") if "node_modules" not in p.parts)
    return found


def anchors(page):
    """The names that a heading can be linked by."""
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")
            for heading, _ in manual.chapters(page.read_text(encoding="utf-8"))}


def code_block(page, language):
    return re.search(rf"```{language}\n(.*?)```", manual.text(page), re.S).group(1)


class Pages(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in pages():
            for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = (page.parent / path).resolve() if path else page
                self.assertTrue(there.exists(), f"{page.name}: {target}")
                if anchor:
                    self.assertIn(anchor, anchors(there), f"{page.name}: {target}")

    def test_paths_that_are_named_exist(self):
        for page in pages():
            for name in re.findall(rf"(?<![\w/.$-])(?:{FOLDERS})/[\w./-]*\w", page.read_text(encoding="utf-8")):
                self.assertTrue((manual.ROOT / name).exists(), f"{page.name}: {name}")


class Shown(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_smallest_settings_file_of_the_readme_is_right(self):
        text = code_block("README.md", "ini")
        manual.run(GANTRY, "keygen", self.folder / "manager.pem")
        (self.folder / "token").write_text("d0a1b2c3\n")
        (self.folder / "token").chmod(0o600)
        named = set(re.findall(r"file:/etc/gantry/(\S+)", text))
        self.assertEqual(named, {"manager.pem", "token"})
        settings = self.folder / "gantry.ini"
        settings.write_text(text.replace("/etc/gantry/", f"{self.folder}/"))
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        printed = manual.run(GANTRYD, "--config", settings, "--validate", env=clean)
        self.assertIn("https://opencti.example.org", printed)
        self.assertNotIn("d0a1b2c3", printed)

    def test_program_at_the_head_of_gantry_h_compiles_and_says_what_is_wrong(self):
        header = manual.text("include/gantry/gantry.h")
        first = re.search(r"(?:^ \*     .*\n)+", header, re.M).group()
        lines = re.findall(r"^ \*     (.*)$", first, re.M)
        missing = self.folder / "no-such-file.ini"
        shown = "\n".join(lines).replace("/etc/gantry/gantry.ini", str(missing))
        source = self.folder / "embed.c"
        source.write_text("#include <gantry/gantry.h>\n#include <stdio.h>\n"
                          f"int main(void)\n{{\n{shown}\n    return 0;\n}}\n")
        program = self.folder / "embed"
        manual.run(CC, "-std=c11", "-Wall", "-Wextra", "-Werror", *FLAGS, "-I", manual.ROOT / "include", "-o", program,
                   source, f"-L{BUILD}/lib", f"-Wl,-rpath,{BUILD}/lib", "-lgantry", "-lgantry-connect")
        done = subprocess.run([program], text=True, capture_output=True, timeout=60)
        self.assertIn(missing.name, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_plugin_is_made_built_and_tested_by_the_commands_of_the_readme(self):
        commands = re.search(r"^    (gantry plugin new .*)\n    (cc -shared .*)\n    (gantry plugin test .*)$",
                             manual.text("README.md"), re.M).groups()
        for command in map(str.split, commands):
            words = [{"gantry": GANTRY, "cc": CC, "include": manual.ROOT / "include"}.get(word, word) for word in command]
            manual.run(*words, cwd=self.folder)


unittest.main(argv=sys.argv[:1])
