#!/usr/bin/env python3
"""docs/settings.md has each setting of the core, with its type and default; plugins' manuals those of the plugin.

usage: test-settings.py GANTRYD GANTRY"""
import re
import sys
import unittest

import manual

GANTRYD, GANTRY = sys.argv[1:3]
# The types of core/config/settings.def, in the words of the page.
TYPES = {"STRING": "text", "BOOL": "yes or no", "INTEGER": "number", "DURATION": "duration", "SIZE": "size",
         "LIST": "list", "PATH": "path", "SECRET": "secret", "CHOICE": "choice"}
GROUPS = {"OPENCTI": "platform", "REPORTS": "platform", "LOCAL": "platform"}


def documented():
    """{(section, key): row} of the page."""
    found = {}
    for heading, chapter in manual.chapters(manual.text("docs/settings.md")):
        section = re.match(r"\[(\w+)", heading)
        for row in manual.rows(chapter) if section else []:
            for key in manual.words(row["key"]):
                assert (section.group(1), key) not in found, f"{key} stands twice"
                found[section.group(1), key] = row
    return found


def table():
    """{(section, key): (type, live or restart, default or '')} of the core's table."""
    rows = re.findall(r'^SETTING\((\w+), "(\w+)", (\w+), (LIVE|RESTART), (NULL|"[^"]*"),', manual.text("core/config/settings.def"), re.M)
    return {(GROUPS.get(group, group.lower()), key): (TYPES[kind], change.lower(), "" if fallback == "NULL" else fallback.strip('"'))
            for group, key, kind, change, fallback in rows}


def example():
    """The keys of `gantryd --example`, commented out or not."""
    found, section = set(), None
    for line in manual.run(GANTRYD, "--example").split("\n"):
        title = re.match(r"#?\[(\w+)", line)
        key = re.match(r"#?(\w+) = ", line)
        if title:
            section = title.group(1)
        elif key:
            found.add((section, key.group(1)))
    return found


def plugin(name):
    """{key: default or ''} of `gantry plugin info`."""
    found = re.findall(r"^  ([a-z_]+)(?: = (.*))?$", manual.run(GANTRY, "plugin", "info", name), re.M)
    return {key: fallback for key, fallback in found}


class Settings(unittest.TestCase):
    def test_keys_of_the_page_are_those_of_the_example(self):
        self.assertEqual(sorted(documented()), sorted(example()))

    def test_types_changes_and_defaults_of_the_page_are_those_of_the_table(self):
        there = {key: (row["type"], row["change"], "".join(manual.words(row["default"])))
                 for key, row in documented().items()}
        self.assertEqual(there, table())

    def test_types_of_the_page_are_explained_in_it(self):
        page = dict(manual.chapters(manual.text("docs/settings.md")))
        explained = {row["type"] for row in manual.rows(page["How it is written"])}
        self.assertEqual(explained, {row["type"] for row in documented().values()})

    def test_manual_of_a_plugin_has_its_settings_and_defaults(self):
        for name in ("docker", "podman", "portainer", "process", "swarm"):
            listed = {}
            for _, chapter in manual.chapters(manual.text(f"plugins/{name}/{name}.md")):
                for row in manual.rows(chapter):
                    keys = manual.words(row.get("key", ""))
                    defaults = row.get("default", "").replace("`", "").split(", ")
                    listed |= dict(zip(keys, defaults if len(defaults) == len(keys) else defaults * len(keys)))
            settings = plugin(name)
            self.assertEqual(sorted(listed), sorted(settings))
            for key, fallback in settings.items():
                if fallback:
                    self.assertEqual(listed[key], fallback, key)


unittest.main(argv=sys.argv[:1])
