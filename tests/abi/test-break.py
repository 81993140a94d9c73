#!/usr/bin/env python3
"""The check of the ABI sees what breaks it: copies of the headers and of a library's record are broken on purpose,
one thing at a time, and the words of the check are compared; what is added at the end breaks nobody.

usage: test-break.py CC INCLUDE-FOLDER [--abidiff LIBRARY HEADER...]"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
CC, INCLUDE = sys.argv[1], pathlib.Path(sys.argv[2])
ABIDIFF, LIBRARY = (["--abidiff"], sys.argv[4:]) if sys.argv[3:] else ([], None)


class Break(unittest.TestCase):
    unbroken = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.include, self.recorded = self.folder / "include", self.folder / "recorded"
        shutil.copytree(INCLUDE, self.include)
        if not Break.unbroken:  # recorded once: each test breaks the same headers
            self.recorded.mkdir()
            self.run_record("write", 0)
            Break.unbroken = {file.name: file.read_bytes() for file in self.recorded.iterdir()}
        self.recorded.mkdir(exist_ok=True)
        for name, data in Break.unbroken.items():
            (self.recorded / name).write_bytes(data)

    def run_record(self, action, status, library=None):
        done = subprocess.run([sys.executable, HERE / "record.py", action, "--cc", CC, *ABIDIFF, "--include", self.include,
                               "--recorded", self.recorded, *(["--library", *library] if library else [])],
                              text=True, capture_output=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def edit(self, header, pattern, into):
        path = self.include / "gantry" / header
        text, count = re.subn(pattern, into, path.read_text(), count=1, flags=re.M | re.S)
        self.assertEqual(count, 1, f"{header} has no longer what this test breaks: {pattern}")
        path.write_text(text)

    def expect_broken(self, words):
        """The check fails in these words, and nothing can be recorded."""
        before = {file.name: file.read_bytes() for file in self.recorded.iterdir()}
        report = self.run_record("check", 1)
        self.assertRegex(report, "BROKEN plugin-abi-\\d+: " + words)
        self.assertIn("would not work with this", report)
        self.run_record("write", 1)
        self.assertEqual(before, {file.name: file.read_bytes() for file in self.recorded.iterdir()})
        return report

    def test_unchanged_headers_pass(self):
        self.assertEqual(self.run_record("check", 0), "")

    def test_field_that_moves(self):
        self.edit("workload.h", r"(    uint32_t state; [^\n]*\n)(    uint32_t health; [^\n]*\n)", r"\2\1")
        self.expect_broken(r"struct gantry_status: the field 'state' has moved, from 72 to 76\n")

    def test_operation_that_moves(self):
        self.edit("plugin.h", r"(    int \(\*pull\)\([^;]*;\n)(.*?)(    int \(\*probe\)\([^;]*;\n)", r"\3\2\1")
        self.expect_broken(r"struct gantry_plugin: the field 'pull' has moved")

    def test_field_in_the_middle(self):
        self.edit("plugin.h", r"    uint32_t scope; ", "    uint32_t level;\n    uint32_t scope; ")
        self.expect_broken(r"struct gantry_setting: the new field 'level' is at 8, inside of what others know \(\d+ bytes\)")

    def test_field_in_a_hole(self):
        """Padding at the end is within the size that others gave: what they left there is no value."""
        self.edit("workload.h", r"    uint32_t max_line_bytes; [^\n]*\n    uint32_t reserved;\n", "    uint32_t max_line_bytes;\n")
        shutil.rmtree(self.recorded)
        self.recorded.mkdir()
        self.run_record("write", 0)
        self.edit("workload.h", r"    uint32_t max_line_bytes;\n", "    uint32_t max_line_bytes;\n    uint32_t max_age_s;\n")
        self.expect_broken("struct gantry_log_limits: the new field 'max_age_s' is at 20, inside of what others know")

    def test_field_of_another_type(self):
        self.edit("workload.h", r"    int32_t exit_code; ", "    uint32_t exit_code; ")
        self.expect_broken("struct gantry_status: the field 'exit_code' was 'int32_t', it is 'uint32_t'")

    def test_field_of_another_size(self):
        self.edit("workload.h", r"    int64_t restarts; ", "    int32_t restarts; ")
        self.expect_broken("struct gantry_status: the field 'restarts' has 4 bytes, it had 8")

    def test_operation_with_another_parameter(self):
        self.edit("plugin.h", r"(const struct gantry_ref \*ref,\s+)uint32_t grace_ms", r"\1uint64_t grace_ms")
        self.expect_broken("struct gantry_plugin: the field 'stop' was '.*uint32_t.*', it is '.*uint64_t.*'")

    def test_field_that_goes(self):
        self.edit("workload.h", r"    const char \*detail; [^\n]*\n", "")
        self.expect_broken("struct gantry_traits: the field 'detail' is gone")

    def test_struct_that_goes(self):
        self.edit("extensions.h", r"struct gantry_folder \{.*?\n\};\n", "struct gantry_folder;\n")
        self.expect_broken("struct gantry_folder is gone")

    def test_constant_of_another_value(self):
        self.edit("plugin.h", r"(#define GANTRY_EMIT_LINE +)2", r"\g<1>6")
        self.expect_broken("constant GANTRY_EMIT_LINE was 2, it is 6")

    def test_code_of_another_number(self):
        self.edit("types.h", r"X\(DENIED, -5,", "X(DENIED, -12,")
        self.expect_broken("constant GANTRY_E_DENIED was -5, it is -12")

    def test_label_of_another_name(self):
        self.edit("workload.h", r'"opencti-connector-id"', '"gantry-connector-id"')
        self.expect_broken('constant GANTRY_LABEL_CONNECTOR was "opencti-connector-id", it is "gantry-connector-id"')

    def test_constant_that_goes(self):
        self.edit("plugin.h", r"#define GANTRY_START_ONCE[^\n]*\n", "")
        self.expect_broken("constant GANTRY_START_ONCE is gone")

    def test_function_that_goes(self):
        self.edit("plugin.h", r"static inline int64_t\ngantry_remaining_ms\(.*?\n\}\n", "")
        report = self.expect_broken("inline gantry_remaining_ms is gone")
        if ABIDIFF:
            self.assertRegex(report, r"(?s)by abidiff:.*the_gantry_remaining_ms")

    def test_additions_are_recorded_and_pass(self):
        self.edit("workload.h", r"(    int64_t restarts; [^\n]*\n)", r"\1    uint64_t threads;\n")
        self.edit("plugin.h", r"(    int \(\*remove_image\)\([^;]*;\n)", r"\1    int (*pause)(void *self, struct gantry_call *call);\n")
        self.edit("workload.h", r"#define GANTRY_STATUS_EXIT_CODE", "#define GANTRY_STATUS_THREADS 4096u\n#define GANTRY_STATUS_EXIT_CODE")
        self.edit("plugin.h", r"(#define GANTRY_ABI_MINOR )\d+", r"\g<1>99")
        report = self.run_record("check", 1)
        for new in ("struct gantry_status.threads", "struct gantry_plugin.pause", "constant GANTRY_STATUS_THREADS"):
            self.assertRegex(report, rf"NEW plugin-abi-\d+: {re.escape(new)} is new\n")
        self.assertNotIn("BROKEN", report)
        self.assertIn("breaks nobody; record it", report)
        self.run_record("write", 0)
        self.assertEqual(self.run_record("check", 0), "")

    def test_frozen_file_that_was_changed(self):
        frozen = self.folder / "frozen"
        shutil.copytree(HERE / "frozen", frozen)
        for file, change, words in (("gantry-everything.so", lambda f: f.write_bytes(f.read_bytes() + b"\0"), "was changed"),
                                    ("gantry-cpp.so", lambda f: f.unlink(), "is gone"),
                                    ("gantry-more.so", lambda f: f.write_bytes(b""), "is new, and not in SHA256SUMS")):
            change(frozen / "1.0" / file)
            done = subprocess.run([sys.executable, HERE / "test-frozen.py", frozen], text=True, capture_output=True)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(f"{file} {words}: a plugin of that day is somebody's who cannot compile it again", done.stdout)

    @unittest.skipUnless(LIBRARY, "no abidiff")
    def test_function_that_a_library_lost(self):
        self.run_record("write", 0, LIBRARY)
        self.assertEqual(self.run_record("check", 0, LIBRARY), "")
        dump = next(self.recorded.glob("libgantry*.abi"))
        known = re.search(r"( *<elf-symbol name=')(gantry_\w+)([^\n]*\n)", dump.read_text())
        earlier = dump.read_text().replace(known.group(0), known.group(0) + known.group(1) + "gantry_lost" + known.group(3), 1)
        declared = re.search(rf"    <function-decl name='{known.group(2)}'.*?</function-decl>\n", earlier, flags=re.S).group(0)
        dump.write_text(earlier.replace(declared, declared + declared.replace(known.group(2), "gantry_lost"), 1))
        self.assertRegex(self.run_record("check", 1, LIBRARY),
                         r"(?s)BROKEN libgantry\S*: libgantry\S* by abidiff:.*gantry_lost.*would not work with this")


sys.argv = sys.argv[:1]
unittest.main()
