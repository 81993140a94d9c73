#!/bin/bash
# The fuzzers, longer than in the tests: each for so many seconds, as many at once as there are cores, from the kept
# corpus.  What one finds is below build/fuzz/fuzz/NAME; what is worth keeping is copied to tests/fuzz/corpus by hand.
#
#   bash tests/fuzz/run.sh                     all of them, 10 minutes each
#   bash tests/fuzz/run.sh 60 mapping value    two of them, a minute each
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-600}
shift
cmake --preset fuzz >/dev/null && cmake --build build/fuzz -j "$(nproc)" >/dev/null || exit 1
names=("$@")
[ ${#names[@]} = 0 ] && for corpus in tests/fuzz/corpus/*/; do names+=("$(basename "$corpus")"); done

run() { # NAME
    local folder=build/fuzz/fuzz/$1 log=build/fuzz/fuzz/$1.log
    mkdir -p "$folder"
    if build/fuzz/tests/fuzz_"$1" -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$folder/" "$folder" tests/fuzz/corpus/"$1" >"$log" 2>&1; then
        printf '%-16s ok, %s runs\n' "$1" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        printf '%-16s FAILED: %s\n' "$1" "$(grep -E 'SUMMARY|ERROR' "$log" | tail -n 1) (see $log)"
        return 1
    fi
}
export -f run
export seconds
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run {}'
