#!/usr/bin/env python3
"""A mapping of 30 nested fields on JSON answers of 10 MiB, beside jq doing the same in this run: on records that are
all alike, and on what APIs answer: members that not all have, long texts with escapes, lists of numbers, indentation.

usage: mapping.py GANTRY [jq]; says MB/s of the input by the clock and by processor time (which other programs on the
machine disturb less), the most memory, and whether both gave the same."""
import json
import multiprocessing
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

GANTRY, JQ = sys.argv[1], (sys.argv[2:] or ["jq"])[0]
SIZE, RUNS = 10 * 1024 * 1024, 5

SELECTION = """
page: meta.page
total: meta.total
results: data {
  id name title: label status created: created_at updated: updated_at score ratio flagged
  owner { id login email active }
  place: location { street city zip: postal_code lat: latitude lon: longitude }
  tags
  parts { no: number kind weight price notes }
  first: attributes.first second: attributes.second third: attributes.third
}
"""
# The same for jq: what is absent is null there, so that no field is absent here.
FILTER = """
{page: .meta.page, total: .meta.total, results: [.data[] | {
  id, name, title: .label, status, created: .created_at, updated: .updated_at, score, ratio, flagged,
  owner: .owner | {id, login, email, active},
  place: .location | {street, city, zip: .postal_code, lat: .latitude, lon: .longitude},
  tags,
  parts: [.parts[] | {no: .number, kind, weight, price, notes}],
  first: .attributes.first, second: .attributes.second, third: .attributes.third}]}
"""


def record(number, chance):
    def words(count):
        return " ".join(chance.choice(("crane", "dock", "harbour", "gate", "größe", "mast", "tide")) for _ in range(count))
    return {
        "id": number, "name": words(3), "label": words(5), "status": chance.choice(("open", "closed")),
        "created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-02-01T08:15:30.123Z",
        "score": chance.randrange(10**6), "ratio": chance.random(), "flagged": chance.random() < 0.5,
        "internal": {"shard": number % 16, "trace": words(4)},
        "owner": {"id": chance.randrange(10**4), "login": words(1), "email": words(1) + "@example.org",
                  "active": True, "secret": None},
        "location": {"street": words(2), "city": words(1), "postal_code": str(chance.randrange(10**5)),
                     "latitude": chance.random(), "longitude": chance.random(), "country": "DE"},
        "tags": [words(1) for _ in range(3)],
        "parts": [{"number": i, "kind": words(1), "weight": chance.randrange(1000), "price": i / 4,
                   "notes": words(3), "unused": [1, 2, 3]} for i in range(3)],
        "attributes": {"first": words(1), "second": chance.randrange(100), "third": None, "fourth": words(2)},
    }


def mixed_record(number, chance):
    """The same members, and others: an object is not as the one before it."""
    made = record(number, chance)
    made["label"] = "\n".join(f'"{made["name"]}" \\ {i}\t\u2028{made["label"]}' for i in range(chance.randrange(6)))
    made["score"] = chance.randrange(-2**63, 2**63)
    made["tags"] = [chance.random() * 10**chance.randrange(20) for _ in range(chance.randrange(20))]
    made["parts"] = made["parts"][:chance.randrange(4)]
    made["notes"] = [[chance.randrange(100)] * 3 for _ in range(chance.randrange(5))]
    for name in ("internal", "notes"):
        if chance.random() < 0.5:
            del made[name]
    for name in chance.sample(("etag", "archived_at", "reviewer", "link"), chance.randrange(4)):
        made[name] = None
    members = list(made.items())
    if chance.random() < 0.1:
        chance.shuffle(members)
    return dict(members)


def write_input(path, make, layout):
    chance, parts, size, number = random.Random(7), [], 0, 0
    while size < SIZE:
        parts.append(json.dumps(make(number, chance), **layout))
        size += len(parts[-1].encode()) + 1
        number += 1
    path.write_text('{"meta":{"page":1,"total":%d},"data":[%s]}' % (number, ",".join(parts)), encoding="utf-8")
    return True


class Program:
    """What the best of some runs took."""

    def __init__(self, command, out):
        self.command, self.out = command, out
        self.took = self.computed = 1e9
        self.memory, self.said = 0, ""

    def run(self):
        with open(self.out, "wb") as to:
            began = time.monotonic()
            process = subprocess.Popen(self.command, stdout=to, stderr=subprocess.PIPE)
            said = process.stderr.read().decode().strip()
            _, status, usage = os.wait4(process.pid, 0)
            took = time.monotonic() - began
        if status:
            sys.exit(f"{self.command[0]}: {said}")
        self.memory = max(self.memory, usage.ru_maxrss * 1024)
        self.computed = min(self.computed, usage.ru_utime + usage.ru_stime)
        if took < self.took:
            self.took, self.said = took, said

    def tell(self, name, size):
        print(f"  {name:7} {size / self.took / 1e6:6.1f} MB/s as a program, {size / self.computed / 1e6:6.1f} by processor time, "
              f"{self.memory / size:4.1f} times the input in memory")


def elsewhere(function, *arguments):
    """In a process of its own: what a program starts with counts as its memory, and that is ours as we start it."""
    process = multiprocessing.Process(target=lambda: sys.exit(not function(*arguments)))
    process.start()
    process.join()
    return process.exitcode == 0


def is_same(*paths):
    ours, theirs = (json.loads(path.read_text(encoding="utf-8"), parse_int=float) for path in paths)
    return ours == theirs


def compare(folder, title, make, layout):
    answer = folder / "answer.json"
    if not elsewhere(write_input, answer, make, layout):
        sys.exit(f"{answer} could not be written")
    size = answer.stat().st_size
    ours = Program([GANTRY, "connect", "map", "--time", "--", SELECTION, answer], folder / "ours.json")
    theirs = Program([JQ, "-c", FILTER, answer], folder / "theirs.json")
    for _ in range(RUNS):  # in turn, so that both meet the same machine
        ours.run()
        theirs.run()
    same = elsewhere(is_same, ours.out, theirs.out)
    print(f"{title}, {size} bytes; the same result: {'yes' if same else 'NO'}")
    ours.tell("gantry", size)
    print(f"          {ours.said}")
    theirs.tell("jq", size)
    print(f"  gantry is {theirs.took / ours.took:.1f} times as fast, {theirs.computed / ours.computed:.1f} by processor time "
          f"(goal: 8); its memory is {ours.memory / size:.1f} times the input (goal: at most 4)")
    return same


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        compact = {"ensure_ascii": False, "separators": (",", ":")}
        alike = compare(folder, "records alike", record, compact)
        mixed = compare(folder, "mixed records", mixed_record, {"ensure_ascii": True, "indent": 2})
        sys.exit(not (alike and mixed))


main()
