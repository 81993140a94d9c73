#!/usr/bin/env python3
"""The embedding examples, built by the command in their first lines against what `cmake --install` leaves, and run.

usage: test-examples.py CMAKE BUILD-FOLDER CC [FLAG...]"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import manual

CMAKE, BUILD, CC, *FLAGS = sys.argv[1:]
STRICT = ["-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SETTINGS = """[manager]
state_dir = {folder}/state
interval = 500ms
plugin_path = {folder}
[platform local]
path = {folder}/connectors
[backend memory]
[log]
level = warn
"""


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        prefix = cls.folder / "prefix"
        manual.run(CMAKE, "--install", BUILD, "--prefix", prefix)
        library = next(prefix.rglob("libgantry.so")).parent
        cls.clean = {"PATH": os.environ["PATH"], "PKG_CONFIG_PATH": str(library / "pkgconfig"),
                     "LD_LIBRARY_PATH": str(library), "G_SLICE": "always-malloc"}
        manual.run(prefix / "bin/gantry", "plugin", "new", "memory", cwd=cls.folder, env=cls.clean)
        manual.run(CC, "-shared", "-fPIC", *FLAGS, "-I", prefix / "include", "-o", cls.folder / "gantry-memory.so",
                   cls.folder / "memory/memory.c")
        (cls.folder / "connectors").mkdir()
        for name in ("feeds", "sightings"):
            (cls.folder / "connectors" / f"{name}.ini").write_text("[connector]\nimage = example/busy:1\n")

    def build(self, name):
        source = manual.ROOT / "examples" / name / f"{name}.c"
        command = re.search(r"^ \*     (cc .*)$", source.read_text(), re.M).group(1)
        packages = re.search(r"--libs ([\w. -]+)\)", command).group(1).split()
        flags = manual.run("pkg-config", "--cflags", "--libs", *packages, env=self.clean | {
            "PKG_CONFIG_PATH": self.clean["PKG_CONFIG_PATH"]}).split()
        program = self.folder / name
        manual.run(CC, *STRICT, *FLAGS, "-o", program, source, *flags)
        settings = self.folder / f"{name}.ini"
        settings.write_text(SETTINGS.format(folder=self.folder).replace("/state\n", f"/state-{name}\n"))
        return program, settings

    def start(self, *command):
        process = subprocess.Popen([str(word) for word in command], env=self.clean, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watchdog = threading.Timer(100, process.kill) # whoever waits for its output sees its end
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        self.addCleanup(process.kill)
        return process

    def end(self, process, text=""):
        out, err = process.communicate(text, timeout=60)
        problems = [line for line in err.splitlines() if '"level":"info"' not in line]
        self.assertEqual((process.returncode, problems), (0, []), out)
        return out

    def test_poll_loop_answers_its_input_and_ends(self):
        process = self.start(*self.build("poll-loop"))
        deadline = time.monotonic() + 60
        seen = []
        while len([line for line in seen if "is running" in line]) < 2 and time.monotonic() < deadline:
            seen = []
            print("list", file=process.stdin, flush=True)
            while not seen or not seen[-1].endswith("connectors\n"):
                seen.append(process.stdout.readline())
                self.assertTrue(seen[-1], "it ended")
            time.sleep(0.1)
        self.assertIn("feeds: shall run, is running\n", seen)
        self.end(process, "quit\n")

    def test_glib_loop_tells_what_happens_and_ends_by_a_signal(self):
        process = self.start(*self.build("glib-loop"))
        begun = set()
        while len(begun) < 2:
            line = process.stdout.readline()
            self.assertTrue(line, "it ended")
            begun |= set(re.findall(r"^action (\w+): create", line))
        process.send_signal(signal.SIGINT)
        self.end(process)

    def test_own_platform_and_plugin_in_one_file(self):
        source = manual.ROOT / "examples/own/own.c"
        self.assertLess(len(source.read_text().splitlines()), 150)
        process = self.start(self.build("own")[0])
        out = self.end(process)
        self.assertIn("tick: runs", out)
        self.assertIn("the platform is told: tick started", out)
        self.assertIn("tick: stopped", out)


unittest.main(argv=sys.argv[:1])
