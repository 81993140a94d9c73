#!/usr/bin/env python3
"""Which fields can be had where: `gantry connect check` against a search that knows no shortcuts.

Schemas are generated, always the same ones: types with scalars and objects, connectors on types and fields with keys
among them, and fields of Query that give some of it.  The search looks at every object that can be met, tries every
connector until none gives more, and lists what is missing.  Both must list the same.

  test.py [first seed] [how many]
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

HEAD = """extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.11")
  @link(url: "https://specs.apollo.dev/connect/v0.2", import: ["@connect"])
"""
TOLD_NAMES = 3  # of missing fields, in a message


class Schema:
    """types: name -> {field: the type of an object, or None}.  A selection: {field: a selection, or None}."""

    def __init__(self, rng):
        self.rng = rng
        self.types = {f"T{i}": {} for i in range(rng.randint(1, 5))}
        names = list(self.types)
        for fields in self.types.values():
            fields.update({f"f{i}": None for i in range(rng.randint(1, 5))})
            fields.update({f"o{i}": rng.choice(names) for i in range(rng.randint(0, 2))})
        self.roots, self.connectors = [], []
        for i in range(rng.randint(1, 3)):
            name = rng.choice(names)
            self.roots.append((f"q{i}", name, self.selection(name, {name}, 0.4)))
        for name in names:
            self.add_connectors(name)
        self.drop_unselected()
        for connector in self.connectors:
            connector["key"] = self.key(connector["type"])

    def selection(self, name, way, likely):
        out = {}
        for field, inner in self.types[name].items():
            if self.rng.random() > likely or inner in way:
                continue
            out[field] = self.selection(inner, way | {inner}, likely) if inner else None
        return out or {"f0": None}

    def add_connectors(self, name):
        for _ in range(self.rng.randint(0, 3)):
            self.connectors.append(
                {"type": name, "field": None, "selection": self.selection(name, {name}, 0.5)})
        field, inner = self.rng.choice(list(self.types[name].items()))
        if self.rng.random() < 0.4 and inner != name:
            selection = self.selection(inner, {inner, name}, 0.5) if inner else None
            self.connectors.append({"type": name, "field": field, "selection": selection})

    def drop_unselected(self):
        """A field that nothing gives is another mistake."""
        seen = {name: set() for name in self.types}

        def look(name, selection):
            for field, inner in (selection or {}).items():
                seen[name].add(field)
                look(self.types[name][field], inner)

        for _, name, selection in self.roots:
            look(name, selection)
        for c in self.connectors:
            if c["field"]:
                seen[c["type"]].add(c["field"])
                look(self.types[c["type"]][c["field"]], c["selection"])
            else:
                look(c["type"], c["selection"])
        self.types = {name: {f: inner for f, inner in fields.items() if f in seen[name]}
                      for name, fields in self.types.items()}
        self.types = {name: fields for name, fields in self.types.items() if fields}
        self.connectors = [c for c in self.connectors if c["type"] in self.types]

    def key(self, name):
        out = {}
        for _ in range(self.rng.randint(1, 2)):
            field, inner = self.rng.choice(list(self.types[name].items()))
            leaves = [f for f, of in self.types[inner].items() if not of] if inner else []
            if not inner or leaves:
                out[field] = {self.rng.choice(leaves): None} if inner else None
        return out or {"f0": None}

    # ---- as text ----

    @staticmethod
    def text(selection):
        return " ".join(f"{field} {{ {Schema.text(inner)} }}" if inner else field
                        for field, inner in selection.items())

    def directives(self, name, field):
        return "".join(
            f' @connect(http: {{POST: "http://h/", body: "k: $this {{ {self.text(c["key"])} }}"}}, '
            f'selection: "{self.text(c["selection"]) if c["selection"] else "$.x"}")'
            for c in self.connectors if (c["type"], c["field"]) == (name, field))

    def sdl(self):
        lines = [HEAD, "type Query {"]
        for field, name, selection in self.roots:
            lines.append(f'  {field}: {name} @connect(http: {{GET: "http://h/"}}, '
                         f'selection: "{self.text(selection)}")')
        lines.append("}")
        for name, fields in self.types.items():
            lines.append(f"type {name}{self.directives(name, None)} {{")
            for field, inner in fields.items():
                lines.append(f"  {field}: {inner or 'ID'}{self.directives(name, field)}")
            lines.append("}")
        return "\n".join(lines) + "\n"


class Search:
    """What gives an object is a set of paths into selections: (number of the connector or root, field, field...)."""

    def __init__(self, schema):
        self.schema = schema
        self.selections = {("root", i): s for i, (_, _, s) in enumerate(schema.roots)}
        self.selections.update({("connector", i): c["selection"]
                                for i, c in enumerate(schema.connectors)})

    def at(self, path):
        selection = self.selections[path[0]]
        for field in path[1:]:
            selection = selection[field]
        return selection or {}

    def given(self, name, sources, depth=0):
        out, used, more = {}, set(), True

        def give(path):
            for field, inner in self.at(path).items():
                out.setdefault(field, set()).update({path + (field,)} if inner else ())

        for path in sources:
            give(path)
        while more:
            more = False
            for i, c in enumerate(self.schema.connectors):
                if i in used or c["type"] != name or not self.has(name, out, c["key"], depth):
                    continue
                used.add(i)
                more = True
                path = (("connector", i),)
                if c["field"]:
                    out.setdefault(c["field"], set()).update({path} if c["selection"] else ())
                else:
                    give(path)
        return out

    def has(self, name, given, key, depth):
        for field, below in key.items():
            if field not in given:
                return False
            inner = self.schema.types[name][field]
            if below and depth < 8 and not self.has(
                    inner, self.given(inner, given[field], depth + 1), below, depth + 1):
                return False
        return True

    def missing(self):
        todo = [(name, frozenset({(("root", i),)}))
                for i, (_, name, _) in enumerate(self.schema.roots)]
        seen, out = set(), []
        while todo:
            position = todo.pop()
            if position in seen:
                continue
            seen.add(position)
            name, sources = position
            given = self.given(name, sources)
            lacks = [field for field in self.schema.types[name] if field not in given]
            if lacks:
                out.append((name, tuple(lacks[:TOLD_NAMES]), len(lacks)))
            todo += [(self.schema.types[name][field], frozenset(paths))
                     for field, paths in given.items() if self.schema.types[name][field]]
        return sorted(out)


def told(problems):
    """The same from what the command prints; None: it found something else, which hides this."""
    out = []
    for problem in problems:
        if problem["severity"] != "error":
            continue
        found = re.match(r"\S+: ((?:'\w+'(?:, )?)+)(?: and (\d+) more)? of '(\w+)' cannot",
                         problem["message"])
        if problem["code"] != "SATISFIABILITY_ERROR" or not found:
            return None
        names = tuple(re.findall(r"\w+", found[1]))
        out.append((found[3], names, len(names) + int(found[2] or 0)))
    return sorted(out)


def main():
    first, count = (int(arg) for arg in (sys.argv[1:] + ["1", "600"][len(sys.argv) - 1:]))
    gantry = os.path.join(os.environ["GANTRY_BUILD"], "bin", "gantry")
    schemas = [Schema(random.Random(seed)) for seed in range(first, first + count)]
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, f"{first + i}.graphql") for i in range(count)]
        for file, schema in zip(files, schemas):
            with open(file, "w", encoding="utf-8") as out:
                out.write(schema.sdl())
        run = subprocess.run([gantry, "connect", "check", "--format", "json", *files],
                             capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if run.returncode not in (0, 1) or len(lines) != count:
        sys.exit(f"gantry connect check ended with {run.returncode}: {run.stderr}")
    compared = wrong = differing = 0
    for seed, schema, line in zip(range(first, first + count), schemas, lines):
        found = told(json.loads(line)["problems"])
        if found is None:
            continue
        expected = Search(schema).missing()
        compared += 1
        wrong += bool(expected)
        if found != expected:
            differing += 1
            print(f"seed {seed}: told {found}, but missing is {expected}\n{schema.sdl()}")
    print(f"{compared} of {count} schemas compared, {wrong} with missing fields, {differing} differ")
    # A generator that makes nothing worth comparing would prove nothing.
    return 1 if differing or wrong < count // 10 or compared - wrong < count // 20 else 0


if __name__ == "__main__":
    sys.exit(main())
