#!/usr/bin/env python3
"""What the programs' --help says and what their manuals say is the same, both ways.

usage: test-options.py GANTRYD GANTRY"""
import re
import sys
import unittest

import manual

GANTRYD, GANTRY = sys.argv[1:3]


def options(text):
    return set(re.findall(r"--[a-z][a-z-]*", text))


def exit_codes(chapter):
    return set(re.findall(r"^(?:\||-) *(\d)\b", chapter, re.M))


class Daemon(unittest.TestCase):
    page = dict(manual.chapters(manual.text("daemon/gantryd.8.md")))
    help = manual.run(GANTRYD, "--help")

    def test_options_are_those_of_the_manual(self):
        listed = {line.split()[0] for line in self.help.split("\n") if line.startswith("  --")}
        self.assertEqual(listed, options("\n".join(
            line.split(":")[0] for line in self.page["Options"].split("\n") if line.startswith("- "))))

    def test_each_option_is_in_the_synopsis(self):
        listed = {line.split()[0] for line in self.help.split("\n") if line.startswith("  --")}
        self.assertEqual(listed, options(self.page["Synopsis"]))

    def test_exit_codes_are_those_of_the_manual(self):
        codes = self.help[self.help.index("exit status:"):]
        self.assertEqual(exit_codes(self.page["Exit status"]), set(re.findall(r"\b(\d) ", codes)))

    def test_an_option_that_is_not_listed_is_refused(self):
        manual.run(GANTRYD, "--nonsense", status=2)


class Tool(unittest.TestCase):
    page = dict(manual.chapters(manual.text("daemon/gantry.1.md")))
    help = manual.run(GANTRY, "--help")

    def test_each_command_and_its_options_are_those_of_the_manual(self):
        listed = re.findall(r"^  gantry ([a-z ]*[a-z])  ", self.help, re.M)
        self.assertTrue(listed)
        documented = {heading.split(" ", 1)[1]: chapter
                      for heading, chapter in self.page.items() if heading.startswith("gantry ")}
        usages = {}
        for command in listed:
            told = manual.run(GANTRY, "help", *command.split())
            usages[told.split("\n")[0].split(" ", 1)[1]] = options(told)
        self.assertEqual(sorted(usages), sorted(documented))
        for usage, chapter in documented.items():
            bullets = "\n".join(line.split(":")[0] for line in chapter.split("\n") if line.startswith("- "))
            self.assertEqual(usages[usage], options(bullets), usage)

    def test_exit_codes_are_those_of_the_manual(self):
        codes = self.help[self.help.index("Exit codes:"):]
        self.assertEqual(exit_codes(self.page["Exit codes"]), set(re.findall(r"\b(\d) ", codes)))


unittest.main(argv=sys.argv[:1])
