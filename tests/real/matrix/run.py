#!/usr/bin/env python3
"""Run the table of cases:  run.py [COLUMN...] [--case WORD]... | --show [--complete]

COLUMN is the name of a column, or of a file of backends/ (all its columns); without one, all of them.  Each case
prints a line, and the columns' table stands at the end.  What was run is kept in build/results/matrix/COLUMN.json;
--show prints the table of that, and with --complete fails when a case is missing in a column.  The exit status is
0, 1 when a case failed, or 77 when a part is missing on this machine.
"""

import concurrent.futures
import importlib
import os
import pathlib
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from scene import CASES, FOLDER, Scene, Stage  # noqa: E402  (it sets the path of what follows)
from running import has_failed, limit, parser, run_columns  # noqa: E402
from table import Table  # noqa: E402
from backend import Absent, columns, plain  # noqa: E402
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
    """What came of each case, how long it took, and whether all is well.  Those that run beside others first, then the others
    one by one, each on a clean stage."""
    results, stage, started = {}, Stage(backend), time.monotonic()
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
    return results, time.monotonic() - started, not has_failed(results)


def missing_parts():
    if not os.access(program(), os.X_OK):
        return f"{program()} is not built"
    if not os.path.isdir(os.path.join(PLATFORM, "node_modules", "@apollo", "server")):
        return "Apollo Server is missing: run tests/real/setup.sh"
    return None


def main():
    words = parser(__doc__)
    words.add_argument("--case", action="append", default=[])
    given = words.parse_args()
    table = Table("matrix")
    order = {f.__name__: f.__name__.replace("_", " ") for f in CASES}
    names = [column.name for column in columns(given.columns)]
    if given.show:
        return table.show(order, names, given.complete)
    reason = missing_parts()
    if reason:
        print("skip: " + reason)
        return 77
    limit(LIMIT_SECONDS)
    chosen = [f for f in CASES if not given.case or any(word in f.__name__ for word in given.case)]
    status = run_columns(columns(given.columns), lambda column: run_column(column, chosen), table, whole=not given.case)
    table.show(order, names)
    return status


if __name__ == "__main__":
    sys.exit(main())
