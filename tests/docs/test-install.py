#!/usr/bin/env python3
"""What `cmake --install` leaves works by itself: the programs, their plugin, and a program of somebody else's.

usage: test-install.py CMAKE BUILD-FOLDER CC [FLAG...]
The flags are those that a program needs to run with the libraries of this build."""
import os
import pathlib
import re
import sys
import tempfile
import unittest

import manual

CMAKE, BUILD, CC, *FLAGS = sys.argv[1:]
EMBEDDER = """#include <gantry/client.h>
#include <gantry/gantry.h>
#include <gantry/host.h>
#include <gantry/plugin.h>
#include <stdio.h>
#include <string.h>

int
main(void)
{
    struct gantry_manager *m = NULL;
    struct gantry_error *err = NULL;
    struct gantry_options o = {.size = sizeof o, .text = "[manager]\\nnonsense = 1\\n"};
    int found = 0;
    if (gantry_manager_new(&o, &m, &err) < 0 || gantry_manager_open(m, &err) != GANTRY_E_INVALID)
        return 1;
    for (const struct gantry_error *e = err; e; e = e->cause)
        found |= strstr(e->message, "nonsense") != NULL;
    if (!found)
        return 2;
    gantry_error_free(err);
    gantry_manager_free(m);
    printf("%s %s\\n", gantry_version(), GANTRY_VERSION_STRING);
    return 0;
}
"""


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.prefix = pathlib.Path(folder.name) / "prefix"
        manual.run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)
        cls.library = next(cls.prefix.rglob("libgantry.so")).parent
        cls.clean = {"PATH": os.environ["PATH"], "PKG_CONFIG_PATH": str(cls.library / "pkgconfig")}

    def test_programs_find_their_libraries_and_the_bundled_plugin(self):
        self.assertRegex(manual.run(self.prefix / "bin/gantryd", "--version", env=self.clean), r"^gantryd? \d+\.\d+\.\d+")
        listed = manual.run(self.prefix / "bin/gantry", "plugin", "list", env=self.clean)
        self.assertRegex(listed, rf"docker +ok +{re.escape(str(self.library))}/gantry/plugins/gantry-docker.so\n")
        info = manual.run(self.prefix / "bin/gantry", "plugin", "info", "process", env=self.clean)
        self.assertIn("program_folders", info)
        self.assertTrue(os.access(self.library / "gantry/plugins/gantry-process-shim", os.X_OK))

    def test_a_program_of_somebody_else_is_built_by_pkg_config(self):
        source, program = self.prefix / "embed.c", self.prefix / "embed"
        source.write_text(EMBEDDER)
        flags = manual.run("pkg-config", "--cflags", "--libs", "gantry", env=self.clean).split()
        self.assertIn("-lgantry-connect", flags)
        manual.run(CC, "-std=c11", "-Wall", "-Wextra", "-Werror", *FLAGS, "-o", program, source, *flags)
        printed = manual.run(program, env=self.clean | {"LD_LIBRARY_PATH": str(self.library)})
        version = manual.run("pkg-config", "--modversion", "gantry", env=self.clean).strip()
        self.assertEqual(printed, f"{version} {version}\n")

    def test_every_public_header_is_there_and_no_other(self):
        there = {path.name for path in (self.prefix / "include/gantry").iterdir()}
        self.assertEqual(there, {path.name for path in (manual.ROOT / "include/gantry").iterdir()})

    def test_plugins_are_found_by_pkg_config(self):
        folder = manual.run("pkg-config", "--variable=plugindir", "gantry", env=self.clean).strip()
        self.assertTrue((pathlib.Path(folder) / "gantry-docker.so").exists(), folder)


unittest.main(argv=sys.argv[:1])
