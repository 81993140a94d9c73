#!/usr/bin/env python3
"""A mapping of 30 nested fields on a JSON answer of 10 MiB, beside jq doing the same in this run.

usage: mapping.py GANTRY [jq]; says MB/s of the input, the most memory, and whether both gave the same."""
import json
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


def write_input(path):
    chance, parts, size, number = random.Random(7), [], 0, 0
    while size < SIZE:
        parts.append(json.dumps(record(number, chance), ensure_ascii=False, separators=(",", ":")))
        size += len(parts[-1].encode()) + 1
        number += 1
    path.write_text('{"meta":{"page":1,"total":%d},"data":[%s]}' % (number, ",".join(parts)), encoding="utf-8")
    return path.stat().st_size


def run(command, out):
    """The best of some runs: seconds, and the most memory of them in bytes."""
    best, memory, said = 1e9, 0, b""
    for _ in range(RUNS):
        with open(out, "wb") as to:
            began = time.monotonic()
            process = subprocess.Popen(command, stdout=to, stderr=subprocess.PIPE)
            said_now = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            took = time.monotonic() - began
        if status:
            sys.exit(f"{command[0]}: {said_now.decode()}")
        memory = max(memory, usage.ru_maxrss * 1024)
        if took < best:
            best, said = took, said_now
    return best, memory, said.decode().strip()


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        answer, ours, theirs = folder / "answer.json", folder / "ours.json", folder / "theirs.json"
        size = write_input(answer)
        took, memory, said = run([GANTRY, "connect", "map", "--time", "--", SELECTION, answer], ours)
        jq_took, jq_memory, _ = run([JQ, "-c", FILTER, answer], theirs)
        same = json.loads(ours.read_text()) == json.loads(theirs.read_text())
        print(f"input of {size} bytes; the same result: {'yes' if same else 'NO'}")
        print(f"gantry: {said}")
        print(f"gantry: {size / took / 1e6:.1f} MB/s as a program, {memory / size:.1f} times the input in memory")
        print(f"jq:     {size / jq_took / 1e6:.1f} MB/s as a program, {jq_memory / size:.1f} times the input in memory")
        print(f"gantry is {jq_took / took:.1f} times as fast")
        sys.exit(not same)


main()
