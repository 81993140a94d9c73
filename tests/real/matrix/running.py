"""Running columns, whatever is tried in them: the words of the command, the limit, and the exit status."""

import argparse
import signal

from backend import Missing


def parser(usage):
    made = argparse.ArgumentParser(usage=usage)
    made.add_argument("columns", nargs="*")
    made.add_argument("--show", action="store_true")
    made.add_argument("--complete", action="store_true")
    return made


def too_late(*_):
    raise SystemExit("ended: over the limit, or told to")


def limit(seconds):
    """0: none; to be told to end counts all the same."""
    signal.signal(signal.SIGALRM, too_late)
    signal.signal(signal.SIGTERM, too_late)
    signal.alarm(seconds)


def run_columns(chosen, run, table, whole):
    """Run each of these columns, and keep what came of it.  run(column): (results, seconds, whether all is well); whole: of
    every case.  The exit status: 1 when something failed, 77 when a part of a column is missing."""
    failed = skipped = False
    for kind in chosen:
        try:
            results, took, well = run(kind())
        except Missing as missing:
            print(f"skip {kind.name}: {missing}")
            table.forget(kind.name)
            skipped = True
            continue
        table.keep(kind.name, results, took, whole)
        failed |= not well
    return 1 if failed else 77 if skipped else 0


def has_failed(results):
    return any(came["result"] == "FAIL" for came in results.values())
