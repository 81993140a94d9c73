#!/bin/bash
# cppcheck over the compile commands of a build, tests included.  What is no defect is suppressed on its line,
# with the reason.
set -eu
out=$1/cppcheck
mkdir -p "$out/cache"
# cppcheck overlooks -iquote, and without the rooms' headers it knows none of their macros.
sed 's/-iquote /-I/g' "$1/compile_commands.json" >"$out/compile_commands.json"
# ctuuninitvar takes `snprintf(out->path, ...)` for a reading of *out.
cppcheck --project="$out/compile_commands.json" --cppcheck-build-dir="$out/cache" -j "$(nproc)" --quiet \
    --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --library=tests/lint/cppcheck.cfg --suppress=ctuuninitvar
