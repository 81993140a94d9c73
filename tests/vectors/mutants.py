#!/usr/bin/env python3
"""Do the vectors notice when a mapping is read, evaluated or written wrongly?  Flips one operator or branch at a time in
parser, evaluator and printer of mappings, and runs the unit tests of core/connect against it.  A mutant that they pass
has survived: either a vector is missing, or it is no mutant, and mutants-equivalent.txt says why.  Ends with 1 when a
survivor is not explained there.

usage: mutants.py BUILD [--count N] [--seed S] [--file NAME] [--jobs N]    BUILD: a debug build, built"""
import argparse
import concurrent.futures
import json
import pathlib
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOM = ROOT / "core/connect"
CPU_SECONDS, MEMORY_BYTES = 3, 1 << 30
EQUIVALENT = ROOT / "tests/vectors/mutants-equivalent.txt"
FILES = ("mapping_apply.c", "mapping_call.c", "mapping_merge.c", "mapping_path.c", "mapping_problem.c", "method_any.c",
         "method_list.c", "method_logic.c", "method_number.c", "method_text.c",
         "mapping_lex.c", "mapping_parse.c", "mapping_expr.c", "mapping_fault.c", "mapping_print.c", "mapping_equal.c",
         "mapping_method.c")
FLIPS = [  # pattern, replacement
    (r" == ", " != "), (r" != ", " == "), (r" < ", " <= "), (r" < ", " >= "), (r" > ", " >= "), (r" > ", " <= "),
    (r" <= ", " < "), (r" >= ", " > "), (r" && ", " || "), (r" \|\| ", " && "), (r" \+ 1\b", " - 1"), (r" - 1\b", " + 1"),
    (r" \+ ", " - "), (r" - ", " + "), (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"\bif \((?!rc)(.*)\)$", r"if (!(\1))"),
    (r"!(?=[a-z(])", ""), (r"\bMIN\(", "MAX("), (r"\bMAX\(", "MIN("), (r"\bcontinue;", "break;"), (r"\bbreak;", ";"),
    (r"\+\+", "--"), (r" \? (?!0 |NULL )(.*?) : ", r" ? 0 * sizeof(\1) : "),
]
# Lines about memory that ran out are for test_alloc.c, and what they do cannot be seen in a result.
SKIPPED = re.compile(r"nomem|^\s*(/?\*|#|//)|MAX =|DEFAULT_")


def name_of(lines, number):
    """Where a line is: its function, and the how manieth of its like there, if not the first."""
    line, like = lines[number].strip(), 1
    for before in reversed(lines[:number]):
        function = re.match(r"(\w+)\(", before)
        if function:
            return function.group(1) + (f"#{like}" if like > 1 else "")
        like += before.strip() == line
    return "(no function)"


def mutants_of(name):
    lines = (ROOM / name).read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if SKIPPED.search(line) or "nomem" in following:
            continue
        code = re.sub(r'"(?:\\.|[^"\\])*"', lambda m: "\0" * len(m.group(0)), line)  # no flips within texts
        code = code.split("/*")[0]
        seen = {line}
        for pattern, replacement in FLIPS:
            for match in re.finditer(pattern, code):
                if "\0" in match.group(0):
                    continue
                flipped = line[:match.start()] + match.expand(replacement) + line[match.end():]
                if flipped in seen:
                    continue
                seen.add(flipped)
                if ";" not in flipped.rstrip(";").replace("for (", "") or "for (" in line:
                    where = f"{name}: {name_of(lines, number)}: {line.strip()}  ->  {flipped.strip()}"
                    yield name, number, flipped, where


def explained():
    """The mutants of mutants-equivalent.txt, each with its reason."""
    found, reason = {}, []
    for line in EQUIVALENT.read_text(encoding="utf-8").split("\n"):
        if not line or line.startswith("#"):
            reason = []
        elif "  ->  " in line:
            if not reason:
                sys.exit(f"{EQUIVALENT.name}: no reason for: {line}")
            found[line] = " ".join(reason)
        else:
            reason.append(line)
    return found


def commands_of(build):
    """How each file of the room is compiled."""
    table = json.loads((build / "compile_commands.json").read_text())
    return {pathlib.Path(entry["file"]).name: (shlex.split(entry["command"]), entry["directory"]) for entry in table
            if pathlib.Path(entry["file"]).parent == ROOM}


def objects_of(build, test):
    """The object files that a unit test is linked of."""
    told = subprocess.run(["ninja", "-C", build, "-t", "query", f"tests/{test}"], text=True, capture_output=True, check=True)
    return [str(build / line.strip()) for line in told.stdout.split("outputs:")[0].splitlines()
            if line.strip().endswith(".o")]


def compile_mutant(work, commands, name, lines):
    (work / name).write_text("\n".join(lines), encoding="utf-8")
    command, directory = commands[name]
    source = str(ROOM / name)
    out = work / (name + ".o")
    command = [str(work / name) if part == source else part for part in command if part != "ccache"]
    command[command.index("-o") + 1] = str(out)
    command = [part for part in command if part != "-Werror"] + ["-w", "-g0", "-iquote", str(ROOM)]
    for flag in ("-MD", "-MT", "-MF"):
        if flag in command:
            at = command.index(flag)
            del command[at:at + (1 if flag == "-MD" else 2)]
    return out if subprocess.run(command, cwd=directory, capture_output=True).returncode == 0 else None


def bound():
    """A mutant that runs for ever, or takes memory for ever, is ended, however busy the machine is."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def is_killed(work, tests, name, out):
    for test, objects in tests.items():
        program = work / test
        mine = [str(out) if pathlib.Path(o).name == name + ".o" and "room_connect" in o else o for o in objects]
        subprocess.run(["cc", "-o", program, *mine, "-lcmocka", "-lm", "-lpthread", "-ldl"], check=True, capture_output=True)
        if subprocess.run([program], capture_output=True, preexec_fn=bound).returncode:
            return True
    return False


def judge(commands, tests, mutant):
    """"killed", "survived" or "broken": does not compile."""
    name, number, flipped, _ = mutant
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        lines = (ROOM / name).read_text(encoding="utf-8").split("\n")
        lines[number] = flipped
        out = compile_mutant(work, commands, name, lines)
        if not out:
            return "broken"
        return "killed" if is_killed(work, tests, name, out) else "survived"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=lambda p: pathlib.Path(p).resolve())
    options.add_argument("--count", type=int, default=0, help="so many of them, by chance; 0: all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--file", choices=FILES)
    options.add_argument("--jobs", type=int, default=1)
    given = options.parse_args()
    commands = commands_of(given.build)
    tests = {test: objects_of(given.build, test) for test in ("unit_connect_vectors", "unit_connect_mapping",
                                                              "unit_connect_alloc")}
    all_of_them = [m for name in FILES if given.file in (None, name) for m in mutants_of(name)]
    random.Random(given.seed).shuffle(all_of_them)
    for test in tests:
        if subprocess.run([given.build / "tests" / test], capture_output=True).returncode:
            sys.exit(f"{test} fails without any mutant; mend that first")
    reasons = explained()
    stale = sorted(set(reasons) - {m[-1] for name in FILES for m in mutants_of(name)})
    killed, accounted, survivors, broken = 0, 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as jobs:
        verdicts = jobs.map(lambda mutant: judge(commands, tests, mutant), all_of_them[:given.count or None])
        for (name, number, _, where), verdict in zip(all_of_them, verdicts):
            if verdict == "broken":
                broken += 1
            elif verdict == "killed":
                killed += 1
                if where in reasons:
                    print(f"killed, though explained: {where}", flush=True)
            elif where in reasons:
                accounted += 1
            else:
                survivors += 1
                print(f"survived, line {number + 1}: {where}", flush=True)
    for where in stale:
        print(f"there is no such mutant (any more): {where}")
    print(f"{killed} killed, {accounted} explained in {EQUIVALENT.name}, {survivors} survived, {broken} did not compile")
    sys.exit(bool(survivors or stale))


main()
