#!/usr/bin/env python3
"""Schemas and documents, judged by `gantry graphql validate` and by graphql-js: both must accept, or refuse at the
same first place.  The corpus is in the text files here, a text a line; besides, documents are generated from
schema.graphql with a fixed seed, and spoiled.  Then each valid text is printed by `gantry graphql fmt`, which must be
the same when it is printed again, and mean the same to graphql-js."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
MODULES = HERE.parent.parent / "real/platform"
TOOL = pathlib.Path(os.environ["GANTRY_BUILD"]) / "bin/gantry"
GENERATED = 1500

FIELDS = {
    "Query": {"user(id: 1)": "User", "users": "User", "node(id: 1)": "Node", "named": "Named", "any": "Any",
              "pet": "Pet", "count(big: true)": None, "now": None, "users(first: 1)": "User",
              "users(where: {need: 1, deep: {value: 2}})": "User", "users(weights: [1, 2.5])": "User"},
    "User": {"id": None, "name": None, "age": None, "friends": "User", "pet": "Pet", "pets": "Pet", "color": None,
             "self": "User", "tags": None, "friends(first: 2)": "User", "name(short: true)": None},
    "Dog": {"id": None, "name": None, "barks": None, "owner": "User", "weight": None},
    "Cat": {"id": None, "meows": None, "owner": "User", "weight": None, "lives": None, "nick": None},
    "Node": {"id": None}, "Named": {"id": None, "name": None}, "Any": {}, "Pet": {},
}
INSIDE = {"Any": ("User", "Dog", "Cat", "Node", "Named"), "Pet": ("Dog", "Cat", "Node"),
          "Node": ("User", "Dog", "Cat", "Named"), "Named": ("User", "Dog", "Node")}


class Generator:
    """Documents that are valid but for fields that cannot be merged, now and then."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def selections(self, of, depth, fragments):
        pick = self.random
        items = []
        for _ in range(pick.randint(1, 4)):
            kind = pick.random()
            inside = INSIDE.get(of, ()) + (of,)
            if kind < 0.15 and depth:
                items.append(f"... on {pick.choice(inside)} " + self.braces(inside[-1], depth - 1, fragments)
                             if pick.random() < 0.1 else self.inline(pick.choice(inside), depth - 1, fragments))
            elif kind < 0.25 and depth and fragments is not None:
                name, on = f"F{len(fragments)}", pick.choice(inside)
                fragments[name] = None
                fragments[name] = f"fragment {name} on {on} " + self.braces(on, depth - 1, fragments)
                items.append("..." + name)
            elif kind < 0.3 or not FIELDS[of]:
                items.append("__typename")
            else:
                field, to = pick.choice(list(FIELDS[of].items()))
                if pick.random() < 0.6:
                    field = f"a{pick.randint(0, 99)}: {field}"
                if pick.random() < 0.1:
                    field += pick.choice((" @include(if: true)", " @once", " @mark(note: \"x\")", " @skip(if: $b)"))
                items.append(field if not to else f"{field} " + self.braces(to, depth - 1, fragments))
        return items

    def inline(self, on, depth, fragments):
        return f"... on {on} " + self.braces(on, depth, fragments)

    def braces(self, of, depth, fragments):
        if depth <= 0:
            return "{ __typename }"
        return "{ " + self.random.choice((" ", "\n  ")).join(self.selections(of, depth, fragments)) + " }"

    def document(self):
        fragments = {}
        body = self.braces("Query", 4, fragments)
        text = "\n".join([body] + list(fragments.values()))
        head = "query Q($b: Boolean!) " if "$b" in text else self.random.choice(("", "query Q "))
        return head + text

    def spoil(self, text):
        """One token is dropped, doubled, or replaced by another one of the document."""
        tokens = text.split(" ")
        at, other = self.random.randrange(len(tokens)), self.random.choice(tokens)
        kind = self.random.randrange(4)
        if kind == 0:
            tokens[at:at + 1] = []
        elif kind == 1:
            tokens[at:at] = [tokens[at]]
        elif kind == 2:
            tokens[at] = other
        else:
            tokens[at] = self.random.choice(("nothing", "$x", "1", "{", "}", "...", "name", "id", "@skip", "self"))
        return " ".join(tokens)


def lines_of(name):
    return [line for line in (HERE / name).read_text(encoding="utf-8").split("\n") if line]


def run_tool(folder, schema, documents):
    """{file name: errors} of the documents; of the schema alone when it is refused."""
    (folder / "schema.graphql").write_text(schema, encoding="utf-8")
    names = []
    for number, document in enumerate(documents):
        names.append(f"{number}.graphql")
        (folder / names[-1]).write_text(document, encoding="utf-8")
    done = subprocess.run([TOOL, "graphql", "validate", "--format", "json", "--schema", "schema.graphql", "--", *names],
                          cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1, 2) and not done.stderr, (done.returncode, done.stderr)
    return {found["file"]: found["errors"] for found in map(json.loads, done.stdout.splitlines())}


def run_oracle(questions):
    text = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(["node", HERE / "oracle.mjs", MODULES], input=text, capture_output=True, text=True,
                          timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def differs(text, ours, theirs):
    if bool(ours) != (not theirs["ok"]):
        return True
    first = theirs["errors"][0] if theirs["errors"] else None
    # where graphql-js has no place to tell, any is right
    return bool(first and first["line"] and (ours[0]["line"], ours[0]["column"]) != (first["line"], first["column"]))


def fmt(text):
    done = subprocess.run([TOOL, "graphql", "fmt"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (text, done.stderr)
    return done.stdout


def main():
    if not (MODULES / "node_modules/graphql").exists():
        print("graphql-js is not installed; tests/real/setup.sh does it")
        sys.exit(77)
    base = (HERE / "schema.graphql").read_text(encoding="utf-8")
    make = Generator(20261121)
    documents = lines_of("valid.txt") + lines_of("wrong.txt")
    whole = [make.document() for _ in range(GENERATED // 2)]
    documents += whole + [make.spoil(text) for text in whole]
    schemas = [base] + lines_of("valid-schemas.txt") + lines_of("wrong-schemas.txt")
    questions = [{"schema": base, "document": text} for text in documents] + [{"schema": text} for text in schemas]
    failures, refused, good = 0, 0, []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        found = run_tool(folder, base, documents)
        ours = [found.get(f"{number}.graphql", ["no answer"]) for number in range(len(documents))]
        ours += [run_tool(folder, text, ["{ __typename }"]).get("schema.graphql", []) for text in schemas]
    theirs = run_oracle(questions)
    assert len(theirs) == len(questions)
    for question, our, their in zip(questions, ours, theirs):
        text = question.get("document", question["schema"])
        refused += not their["ok"]
        if their["ok"]:
            good.append(text)
        if differs(text, our, their):
            failures += 1
            print(f"{text}\n  gantry:     {our[:2]}\n  graphql-js: {their['errors'][:2]}")
    for text in good[:40] + [text for text in good if text in schemas]:
        once = fmt(text)
        if fmt(once) != once:
            failures += 1
            print(f"{text}\n  is printed another time as another text")
    print(f"{len(questions)} texts, {refused} of them refused; {failures} differences")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
