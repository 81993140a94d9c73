#!/usr/bin/env python3
"""Run the table of cases:  run.py [COLUMN...] [--case WORD]... | --show [--complete]

COLUMN is the name of a column, or of a file of backends/ (all its columns); without one, all of them.  Each case
prints a line, and the columns' table stands at the end.  What was run is kept in build/results/matrix/COLUMN.json;
--show prints the table of that, and with --complete fails when a case is missing in a column.  The exit status is
0, 1 when a case failed, or 77 when a part is missing on this machine.
"""

import argparse
import concurrent.futures
import importlib
import os
import pathlib
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from scene import CASES, FOLDER, Scene, Stage  # noqa: E402  (it sets the path of what follows)
from table import Table  # noqa: E402
from backend import Absent, Missing, columns, plain  # noqa: E402
from lib.gantryd import program  # noqa: E402
from lib.platform import FOLDER as PLATFORM  # noqa: E402

SIDE_BY_SIDE = 12
LIMIT_SECONDS = 1200

for path in sorted(pathlib.Path(FOLDER).glob("cases_*.py")):
    importlib.import_module(path.stem)


def evidence(scene, error):
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(FOLDER)]
    text = "".join(f"  {os.path.basename(f.filename)}:{f.lineno}: {f.line}\n" for f in frames[1:])
    try:
        for workload in scene.backend.workloads()[:12]:
            text += f"  there is {workload['name']} running={workload['running']} pid={workload['pid']}\n"
    except Exception as late:
        text += f"  (workloads not to be had: {late})\n"
    text += "".join(f"  {line}\n" for line in scene.backend.last_words().splitlines())
    text += "".join(f"  asked {line[:160]}\n" for line in scene.backend.asked())
    if scene._daemon:
        text += f"  --- gantryd's last lines\n{scene._daemon.tail(25)}\n"
    return text


def run_one(stage, function, daemon=None):
    """What came of it: {"result": "ok", "FAIL" or "out", "took": seconds, "reason": text}."""
    backend, began = stage.backend, time.monotonic()

    def came(result, reason=""):
        return {"result": result, "took": round(time.monotonic() - began, 1), "reason": reason}
    if function.__name__ in backend.opt_out:
        return came("out", plain(backend.opt_out[function.__name__]))
    scene = Scene(stage, function, daemon)
    try:
        function(scene)
        return came("ok")
    except Absent as absent:
        return came("out", plain(absent))
    except Exception as error:  # whatever it was, the other cases still run
        return came("FAIL", f"{type(error).__name__}: {error}\n{evidence(scene, error)}")
    finally:
        for problem in scene.close():
            print(f"  {function.__name__} {problem}", flush=True)


def run_alone(stage, function):
    stage.end_daemons()
    try:
        stage.backend.clean()
    except Exception:  # the others still have their say
        return {"result": "FAIL", "took": 0, "reason": "what was before it could not be cleared away\n" + traceback.format_exc()}
    return run_one(stage, function)


def tell(column, function, came):
    word = {"out": "opted out"}.get(came["result"], came["result"])
    print(f"{word} {column}: {function.__name__} ({came['took']} s)" + (": " if came["reason"] else "") + came["reason"], flush=True)


def run_again(stage, chosen, results):
    """What failed, once more and by itself: so that one moment of a busy machine is not the whole column's.  It is told."""
    for function in [f for f in chosen if results[f.__name__]["result"] == "FAIL"]:
        first, again = results[function.__name__], run_alone(stage, function)
        tell(stage.backend.name, function, again)
        if again["result"] == "ok":
            results[function.__name__] = {**again, "at_first": first["reason"]}


def run_column(backend, chosen):
    """Those that run beside others first, then the others one by one, each on a clean stage."""
    results, stage = {}, Stage(backend)
    together = [f for f in chosen if not f.alone]
    try:
        backend.start()
        began = time.monotonic()
        shared = stage.make_daemon({"manager": {"concurrency": "16", "max_removals": "1000"}}) if together else None
        if shared:
            shared.start()
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            running = {pool.submit(run_one, stage, function, shared): function for function in together}
            for done in concurrent.futures.as_completed(running):
                function = running[done]
                results[function.__name__] = done.result()
                tell(backend.name, function, done.result())
        print(f"side by side: {time.monotonic() - began:.0f} s", flush=True)
        for function in [f for f in chosen if f.alone]:
            results[function.__name__] = run_alone(stage, function)
            tell(backend.name, function, results[function.__name__])
        run_again(stage, chosen, results)
    finally:
        stage.close()
        backend.stop()
    return results


def missing_parts():
    if not os.access(program(), os.X_OK):
        return f"{program()} is not built"
    if not os.path.isdir(os.path.join(PLATFORM, "node_modules", "@apollo", "server")):
        return "Apollo Server is missing: run tests/real/setup.sh"
    return None


def too_late(*_):
    raise SystemExit("ended: over the limit, or told to")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("columns", nargs="*")
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--complete", action="store_true")
    given = parser.parse_args()
    table = Table("matrix")
    order = {f.__name__: f.__name__.replace("_", " ") for f in CASES}
    if given.show:
        return table.show(order, [c.name for c in columns(given.columns)], given.complete)
    reason = missing_parts()
    if reason:
        print("skip: " + reason)
        return 77
    signal.signal(signal.SIGALRM, too_late)
    signal.signal(signal.SIGTERM, too_late)
    signal.alarm(LIMIT_SECONDS)
    chosen = [f for f in CASES if not given.case or any(word in f.__name__ for word in given.case)]
    failed, skipped, names = 0, False, []
    for column in columns(given.columns):
        began = time.monotonic()
        try:
            results = run_column(column(), chosen)
        except Missing as missing:
            print(f"skip {column.name}: {missing}")
            table.forget(column.name)
            skipped = True
            continue
        names.append(column.name)
        table.keep(column.name, results, time.monotonic() - began, whole=not given.case)
        failed += sum(came["result"] == "FAIL" for came in results.values())
    table.show(order, names)
    return 1 if failed else 77 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
