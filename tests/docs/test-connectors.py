#!/usr/bin/env python3
"""docs/connectors.md: its files are written, its commands run in their order, and what they print is what it says.

A block ```LANGUAGE NAME is the file NAME; ```sh is run; a ```text that follows one is what that prints.
usage: test-connectors.py GANTRY"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import manual

GANTRY = pathlib.Path(sys.argv[1]).resolve()
PAGE = "docs/connectors.md"


class Page(unittest.TestCase):
    def test_commands_print_what_it_says(self):
        blocks = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", manual.text(PAGE), re.M | re.S)
        commands = 0
        with tempfile.TemporaryDirectory() as folder:
            environment = {"PATH": f"{GANTRY.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
            for number, (language, name, text) in enumerate(blocks):
                if name:
                    pathlib.Path(folder, name).write_text(text, encoding="utf-8")
                if language != "sh":
                    continue
                following = blocks[number + 1] if number + 1 < len(blocks) else ("", "", "")
                expected = following[2] if following[0] == "text" else ""
                done = subprocess.run(["sh", "-c", text], cwd=folder, env=environment, text=True, timeout=60,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                with self.subTest(command=text):
                    self.assertEqual(done.stdout, expected)
                commands += 1
        self.assertGreater(commands, 5)


unittest.main(argv=sys.argv[:1])
