#!/usr/bin/env python3
"""A plugin of one C file keeps three connectors under gantryd, through start, replace, stop and remove; its
twin of another major version is refused.

usage: test-memory.py GANTRYD PLUGINS-FOLDER"""
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

GANTRYD, PLUGINS = sys.argv[1], pathlib.Path(sys.argv[2])
SECONDS = 30


class Memory(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "connectors").mkdir()

    def settings(self, plugins):
        path = self.folder / "gantry.ini"
        path.write_text(f"[manager]\ninterval = 200ms\nstate_dir = state\nplugin_path = {plugins}\nallow_remove_all = yes\n"
                        "[log]\nlevel = debug\nformat = json\n[platform local]\npath = connectors\n[backend memory]\n")
        return path

    def connector(self, name, image="example/one:1", requested="starting"):
        (self.folder / "connectors" / f"{name}.ini").write_text(
            f"[connector]\nimage = {image}\nrequested = {requested}\n[environment]\nA = b=c\n")

    def read(self, daemon, lines):
        for line in daemon.stderr:
            lines.put(line)

    def expect(self, wanted):
        """Wait until all of these (operation of the plugin, connector) have returned ok."""
        wanted = list(wanted)
        seen = []
        while wanted:
            try:
                line = self.lines.get(timeout=SECONDS)
            except queue.Empty:
                self.fail(f"still missing {wanted}; the log:\n{''.join(seen)}")
            seen.append(line)
            event = json.loads(line)
            call = (event.get("operation"), event.get("connector"))
            if event["event"] == "plugin call" and call in wanted:
                self.assertEqual(event["returned"], "ok", event)
                wanted.remove(call)

    def test_three_connectors_live_in_memory(self):
        settings = self.settings(PLUGINS)
        names = ["one", "two", "three"]
        for name in names:
            self.connector(name)
        daemon = subprocess.Popen([GANTRYD, "--config", settings], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  text=True)
        self.lines = queue.Queue()
        reader = threading.Thread(target=self.read, args=(daemon, self.lines))
        reader.start()
        try:
            self.expect(("start", name) for name in names)
            self.connector("one", image="example/one:2")  # replaced: the new one first, then the old one goes
            self.expect([("start", "one"), ("remove", "one")])
            self.connector("two", requested="stopping")
            self.expect([("stop", "two")])
            self.connector("two")
            self.expect([("start", "two")])
            os.unlink(self.folder / "connectors" / "three.ini")
            self.expect([("stop", "three"), ("remove", "three")])
            daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(timeout=5), 0)
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
            reader.join()
            daemon.stderr.close()

    def test_twin_of_another_major_version_is_refused(self):
        done = subprocess.run([GANTRYD, "--config", self.settings(PLUGINS / "refused"), "--once"], text=True,
                              capture_output=True, timeout=SECONDS)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("plugin 'memory' has ABI version 2, this Gantry has 1", done.stderr)


sys.argv = sys.argv[:1]
unittest.main()
