#!/usr/bin/env python3
"""The rules of the house that a script can see: sizes, banned calls, includes that climb out of a room."""
import pathlib
import re
import sys

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|strtok|atoi|sscanf|gets|localtime|gmtime|strerror|system|popen|alloca)"
                    r"\s*\(")
FOLDERS = ("bench", "cmake", "core", "daemon", "examples", "include", "plugins", "tests")
problems = []


def code_of(text):
    """The text without comments and string literals, line numbers kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_functions(name, code):
    """A function begins with '{' in the first column and ends with '}' there."""
    start = None
    for number, line in enumerate(code.split("\n"), 1):
        if line.rstrip() == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > 60 and line.rstrip() == "}":
                problems.append(f"{name}:{start}: a function of {number - start - 1} lines; 60 are the most")
            start = None


def check(name):
    text = pathlib.Path(name).read_text(encoding="utf-8")
    lines = text.count("\n")
    generated = name.startswith("tests/") or name.endswith(".def")
    if lines > 500 and not generated:
        problems.append(f"{name}: {lines} lines; 500 are the most")
    if not name.endswith((".c", ".h")):
        return
    code = code_of(text)
    for number, line in enumerate(code.split("\n"), 1):
        match = BANNED.search(line)
        if match:
            problems.append(f"{name}:{number}: {match.group(1)}() is banned")
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r'\s*#\s*include\s+"\.\./', line) and not name.startswith("tests/"):
            problems.append(f"{name}:{number}: an include that climbs out of its room")
        match = re.match(r'\s*#\s*include\s+"([a-z_]+_internal\.h)"', line)
        if match and name.startswith("core/") and not (pathlib.Path(name).parent / match.group(1)).exists():
            problems.append(f"{name}:{number}: another room's internal header")
    if not name.startswith("tests/"):
        check_functions(name, code)


def main():
    names = sorted(str(path) for folder in FOLDERS for path in pathlib.Path(folder).rglob("*")
                   if path.suffix in (".c", ".h", ".def", ".py", ".mjs", ".sh") and not {"node_modules", "frozen"} & set(path.parts))
    for name in names:
        check(name)
    print("\n".join(problems) or f"{len(names)} files are as they should be")
    sys.exit(1 if problems else 0)


main()
