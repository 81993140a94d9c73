#!/bin/bash
# clang-tidy over the project's own sources, by the compile commands of a build.
set -eu
out=$1/clang-tidy.out
find core plugins daemon -name '*.c' -print0 |
    xargs -0 -n 4 -P "$(nproc)" clang-tidy -p "$1" --quiet --warnings-as-errors='*' >"$out" 2>&1 ||
    { grep -v 'warnings\? generated' "$out"; exit 1; }
