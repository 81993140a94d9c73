#!/usr/bin/env python3
"""The docker plugin against a real Docker Engine:  docker_plugin.py [WORD...]

With words, only cases whose names contain one of them.  The exit status is 0, 1 when a case failed, or 77
when something that they need is missing here.
"""

import os
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cases_engine  # noqa: E402,F401  (the path comes first; importing it names its cases)
import cases_images  # noqa: E402,F401
import cases_life  # noqa: E402,F401
import cases_logs  # noqa: E402,F401
import cases_options  # noqa: E402,F401
import cases_replace  # noqa: E402,F401
import cases_tls  # noqa: E402,F401
import cases_watch  # noqa: E402,F401
from lib.engine import CONTAINERD, DOCKERD  # noqa: E402
from lib.registry import PROGRAM  # noqa: E402
from world import CASES, World  # noqa: E402

def missing_parts():
    if os.geteuid() != 0:
        return "needs root for dockerd"
    for path in (DOCKERD, CONTAINERD, PROGRAM, "/usr/bin/htpasswd", "/bin/busybox"):
        if not os.path.exists(path):
            return f"{path} is missing: run tests/real/setup.sh"
    return None


def run_one(world, function):
    try:
        function(world)
        return None
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "/cases_" in f.filename]
        where = "".join(f"  {os.path.basename(f.filename)}:{f.lineno}: {f.line}\n" for f in frames)
        asked = "".join(f"  asked {method} {path[:150]}\n" for method, path in world.front.requests[-8:])
        return f"{type(error).__name__}: {error}\n{where}{asked}"


def main():
    reason = missing_parts()
    if reason:
        print(f"skip: {reason}")
        return 77
    world = World()
    failed = 0
    chosen = [f for f in CASES if not sys.argv[1:] or any(word in f.__name__ for word in sys.argv[1:])]
    try:
        for function in chosen:
            began = time.monotonic()
            problem = run_one(world, function)
            world.clean()
            failed += problem is not None
            print(f"{'FAIL' if problem else 'ok'} {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            if problem:
                print(problem, flush=True)
    finally:
        world.close()
    for problem in world.problems:
        print(problem)
    failed += len(world.problems)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
