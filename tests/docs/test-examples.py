#!/usr/bin/env python3
"""The embedding examples, built by the command in their first lines against what `cmake --install` leaves, and run.

usage: test-examples.py CMAKE BUILD-FOLDER CC [FLAG...]"""
import http.server
import json
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

PORT = """extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12")
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "port", http: {{ baseURL: "http://127.0.0.1:{port}/v1/./", headers: {{ name: "x-key", value: "k" }} }},
    errors: {{ message: "$.why" }})
type Query {{
  crane(id: ID!, q: [String]): Crane
    @connect(source: "port", http: {{ GET: "/cranes/{{$args.id}}", queryParams: "q: $args.q" }},
      selection: "$.crane {{ id isUp: up }}")
}}
type Mutation {{
  paint(id: ID!, colour: String): Boolean
    @connect(source: "port", selection: "crane.up", http: {{ POST: "/cranes/{{$args.id}}", body: "colour: $args.colour",
      headers: {{ name: "content-type", value: "application/x-www-form-urlencoded" }} }})
  start: Boolean @connect(source: "port", selection: "crane.up", http: {{ POST: "/start" }})
}}
type Crane {{ id: ID isUp: Boolean }}
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
        program = self.build("own")[0]
        process = self.start(program, str(pathlib.Path(program).parent / "own-state"))
        out = self.end(process)
        self.assertIn("tick: runs", out)
        self.assertIn("the platform is told: tick started", out)
        self.assertIn("tick: stopped", out)

    def test_connect_curl_sends_what_the_schema_says_and_nothing_else(self):
        seen = []

        class Port(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                seen.append((self.command, self.path, self.headers.items(), self.rfile.read(length).decode()))
                body = b'{"crane": {"id": 7, "up": true}}' if "gone" not in self.path else b'{"why": "it is gone"}'
                self.send_response(200 if "gone" not in self.path else 410)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            do_GET = do_POST = answer

            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Port)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        program = self.build("connect-curl")[0]
        schema = self.folder / "port.graphql"
        schema.write_text(PORT.format(port=server.server_port))
        host = f"127.0.0.1:{server.server_port}"

        def call(field, arguments):
            return json.loads(self.end(self.start(program, schema, f"{field}[0]", json.dumps(arguments))))
        self.assertEqual(call("Query.crane", {"id": "a/../b", "q": ["x y", None]}), {"id": 7, "isUp": True})
        method, path, headers, body = seen.pop()
        self.assertEqual((method, path, body), ("GET", "/v1/./cranes/a%2F..%2Fb?q=x%20y&q=", ""))
        headers = dict(headers)
        self.assertIn("gzip", headers.pop("Accept-Encoding"))
        self.assertEqual(headers, {"Host": host, "x-key": "k"})
        self.assertEqual(call("Mutation.paint", {"id": "1", "colour": "red & é"}), True)
        method, path, headers, body = seen.pop()
        self.assertEqual((method, path, body), ("POST", "/v1/./cranes/1", "colour=red+%26+%C3%A9"))
        self.assertEqual({name: value for name, value in headers if name != "Accept-Encoding"}, {
            "Host": host, "x-key": "k", "content-type": "application/x-www-form-urlencoded", "content-length": "21"})
        self.assertEqual(call("Mutation.start", {}), True)
        method, path, headers, body = seen.pop()
        self.assertEqual({name: value for name, value in headers if name != "Accept-Encoding"}, {
            "Host": host, "x-key": "k", "content-length": "0"})
        error = call("Query.crane", {"id": "gone"})
        self.assertEqual((error["message"], error["extensions"]["http"]), ("it is gone", {"status": 410}))
        server.shutdown()
        server.server_close()
        self.assertEqual(call("Query.crane", {"id": "1"})["extensions"], {
            "code": "HTTP_CLIENT_ERROR", "service": "example", "connector": {"coordinate": "example:Query.crane[0]"}})


unittest.main(argv=sys.argv[:1])
