#!/usr/bin/env python3
"""Run one file of cases with real parts:  run.py NAME [WORD...]

NAME is a file of cases/ without its ending; with words, only cases whose names contain one of them.  A file that says
SIDE_BY_SIDE has its cases run by so many threads, each with parts of its own.
The exit status is 0, 1 when a case failed, or 77 when one was skipped.
"""

import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from lib import case  # noqa: E402  (the path comes first)


def start():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cases = importlib.import_module("cases." + sys.argv[1])
    return case.main(case.CASES, sys.argv[2:], side_by_side=getattr(cases, "SIDE_BY_SIDE", 1))


if __name__ == "__main__":
    sys.exit(start())
