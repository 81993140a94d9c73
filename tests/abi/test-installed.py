#!/usr/bin/env python3
"""What somebody can do who has only the installed files: write a plugin in C and in C++, build it by the printed command
and by CMake, test it, and run connectors on it.  The source tree is covered meanwhile.

usage: test-installed.py CMAKE BUILD-FOLDER CC CXX [FLAG...]
The flags are those that a program needs to run with the libraries of this build."""
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading
import unittest

from installed import Installed

CMAKE, BUILD, CC, CXX, *FLAGS = sys.argv[1:]
SECONDS = 60
EMBEDDER = """#include <gantry/host.h>
#include <stdio.h>
int
main(void)
{
    printf("%s %s\\n", gantry_version(), gantry_promise_at(0)->name);
    return 0;
}
"""
PROJECT = """cmake_minimum_required(VERSION 3.16)
project(embedder LANGUAGES C)
find_package(Gantry 0.1 REQUIRED)
add_executable(embedder embedder.c)
target_compile_options(embedder PRIVATE {flags})
target_link_libraries(embedder PRIVATE {flags} Gantry::gantry)
"""


def setUpModule():
    global here
    here = Installed(CMAKE, BUILD)
    unittest.addModuleCleanup(here.remove)


def gantry(*words, **more):
    return here.run(here.bin / "gantry", *words, **more)


class Author:
    """Once for each language: below."""
    language = name = compiler = None

    @classmethod
    def setUpClass(cls):
        cls.told = gantry("plugin", "new", "--lang", cls.language, cls.name)
        cls.folder = here.folder / cls.name

    def test_folder_has_the_source_and_no_placeholder(self):
        files = sorted(path.name for path in self.folder.iterdir() if path.is_file() and path.suffix != ".so")
        source = self.name + {"c": ".c", "c++": ".cc"}[self.language]
        self.assertEqual(files, sorted(["CMakeLists.txt", "README.md", "test.ini", source]))
        for name in files:
            text = (self.folder / name).read_text()
            self.assertIsNone(re.search(r"@[A-Z]+@", text), name)
            self.assertNotIn(str(here.folder), text)
        most = {"c": 150, "c++": 150}[self.language]
        self.assertLess(len((self.folder / source).read_text().splitlines()), most)

    def test_printed_commands_build_it_and_test_it(self):
        commands = re.findall(r"^    (.*)$", self.told, re.M)
        self.assertEqual(len(commands), 3, self.told)
        commands[1] = commands[1].replace(f"{self.compiler[0]} ", f"{self.compiler[1]} ", 1)
        commands[2] += " --format json"
        printed = here.run("sh", "-e", "-c", "\n".join(commands))
        listed = [json.loads(line)["promise"] for line in gantry("plugin", "test", "--list", "--format", "json").splitlines()]
        results = [json.loads(line) for line in printed.splitlines()]
        self.assertEqual([result["promise"] for result in results], listed)
        self.assertNotIn("failed", {result["outcome"] for result in results})
        kept = [result for result in results if result["outcome"] == "ok"]
        self.assertGreater(len(kept), len(results) / 2)

    def test_commands_of_its_readme_work(self):
        commands = re.findall(r"^    (.*)$", (self.folder / "README.md").read_text(), re.M)
        self.assertRegex(commands[-1], "^gantry plugin test ")
        commands[-1] += " --only start" # all of them are tried above
        here.run("sh", "-e", "-c", "\n".join(commands), cwd=self.folder,
                 PATH=f"{here.bin}:{here.environment['PATH']}")

    def test_cmake_builds_tests_and_installs_it(self):
        build = self.folder / "build"
        here.run(CMAKE, "-S", self.folder, "-B", build, f"-DCMAKE_PREFIX_PATH={here.prefix}", f"-DCMAKE_C_COMPILER={CC}",
                 f"-DCMAKE_CXX_COMPILER={CXX}", "-DCMAKE_BUILD_TYPE=Release")
        here.run(CMAKE, "--build", build)
        here.run(str(pathlib.Path(CMAKE).with_name("ctest")), "--test-dir", build, "--output-on-failure")
        here.run(CMAKE, "--install", build, "--prefix", here.prefix)
        listed = gantry("plugin", "list")
        there = here.library / "gantry/plugins" / f"gantry-{self.name}.so"
        self.assertRegex(listed, rf"{self.name} +ok +{re.escape(str(there))}\n")
        there.unlink()

    def test_a_folder_that_exists_is_left_alone(self):
        before = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        self.assertIn(f"'{self.name}'", gantry("plugin", "new", self.name, status=1))
        self.assertEqual(before, {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()})


class InC(Author, unittest.TestCase):
    language, name, compiler = "c", "demo", ("cc", CC)

    def test_gantryd_runs_three_connectors_on_it(self):
        plugins = here.folder / "plugins"
        plugins.mkdir()
        flags = here.run("pkg-config", "--cflags", "gantry-plugin").split()
        here.run(CC, "-shared", "-fPIC", *flags, "-o", plugins / "gantry-demo.so", self.folder / "demo.c")
        connectors = here.folder / "connectors"
        connectors.mkdir()
        missing = {"one", "two", "three"}
        for name in missing:
            (connectors / f"{name}.ini").write_text("[connector]\nimage = example/one:1\n")
        settings = here.folder / "gantry.ini"
        settings.write_text(f"[manager]\ninterval = 200ms\nstate_dir = state\nplugin_path = {plugins}\n[log]\nlevel = debug\n"
                            "format = json\n[platform local]\npath = connectors\n[backend demo]\n")
        daemon = subprocess.Popen(here.command([here.bin / "gantryd", "--config", settings]), env=here.environment,
                                  cwd=here.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        watchdog = threading.Timer(SECONDS, daemon.kill)
        watchdog.start()
        seen = []
        for line in daemon.stderr:
            seen.append(line)
            event = json.loads(line)
            if event.get("operation") == "start" and event["event"] == "plugin call" and event["returned"] == "ok":
                missing.discard(event["connector"])
            if not missing:
                break
        self.assertEqual(missing, set(), "".join(seen))
        daemon.send_signal(signal.SIGTERM)
        daemon.stderr.read()
        self.assertEqual(daemon.wait(timeout=SECONDS), 0)
        watchdog.cancel()
        daemon.stderr.close()


class InCxx(Author, unittest.TestCase):
    language, name, compiler = "c++", "demo-too", ("c++", CXX)


class Files(unittest.TestCase):
    def test_nothing_that_is_installed_names_the_source_tree(self):
        for path in here.prefix.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.suffix != ".so" and b"\x7fELF" != path.read_bytes()[:4]:
                self.assertNotIn(str(here.hidden[0]), path.read_text(), path)

    def test_program_of_the_kit_is_there(self):
        program = here.prefix / "share/gantry/kit/workload.sh"
        self.assertEqual(here.run("sh", program, GANTRY_KIT="lines 2; exit 0"), "line 1\nline 2\n")

    def test_an_embedder_is_built_by_find_package(self):
        folder = here.folder / "embedder"
        folder.mkdir()
        (folder / "embedder.c").write_text(EMBEDDER)
        (folder / "CMakeLists.txt").write_text(PROJECT.format(flags=" ".join(FLAGS)))
        here.run(CMAKE, "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={here.prefix}", f"-DCMAKE_C_COMPILER={CC}")
        here.run(CMAKE, "--build", folder / "build")
        version = here.run("pkg-config", "--modversion", "gantry").strip()
        self.assertRegex(here.run(folder / "build/embedder"), rf"^{re.escape(version)} \w+\.\w+\n$")

    def test_pkg_config_knows_where_plugins_go(self):
        folder = pathlib.Path(here.run("pkg-config", "--variable=plugindir", "gantry-plugin").strip())
        self.assertTrue((folder / "gantry-process.so").exists(), folder)
        for package in ("gantry", "gantry-connect", "gantry-plugin"):
            here.run("pkg-config", "--exists", package)


unittest.main(argv=sys.argv[:1])
