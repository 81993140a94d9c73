#!/bin/bash
# Everything that must hold, on a bare Debian 12 as root: packages, four builds, unit tests under ASan, UBSan and
# TSan, static checks, fuzzers for 30 s each, and the tests on real engines and servers, which it starts on its
# own sockets and ports and ends again.  The last line has the counts.
#
#   bash tests/run.sh            everything
#   bash tests/run.sh unit real  some of: unit tsan real lint fuzz
set -uo pipefail
cd "$(dirname "$0")/.."
parts=${*:-lint unit tsan real fuzz}
results=$PWD/build/results
rm -rf "$results"
mkdir -p "$results"
export DEBIAN_FRONTEND=noninteractive
jobs=$(nproc)

has() { [[ " $parts " == *" $1 "* ]]; }

step() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }

install_packages() {
    local wanted=(gcc g++ libc6-dev cmake ninja-build pkg-config python3 openssl ca-certificates curl procps ccache
        libcurl4-openssl-dev libcjson-dev libinih-dev libssl-dev libcmocka-dev libglib2.0-dev)
    has unit && wanted+=(abigail-tools clang)
    { has unit || has tsan; } && wanted+=(locales)
    has lint && wanted+=(clang clang-format clang-tidy cppcheck git)
    has fuzz && wanted+=(clang libclang-rt-14-dev)
    has real && wanted+=(docker.io docker-registry apache2-utils busybox-static faketime iptables file
        nginx libnginx-mod-http-lua)
    has real && ! command -v npm >/dev/null && wanted+=(nodejs npm)
    local missing=()
    for package in "${wanted[@]}"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$results/apt.log" 2>&1 ||
        { tail -n 5 "$results/apt.log"; echo "tests: packages could not be installed: ${missing[*]}"; exit 1; }
}

build() { # build PRESET [TARGET]; whoever builds the same at that moment is waited for
    local preset=$1
    (
        flock 9
        cmake --preset "$preset" -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
            >"$results/$preset.cmake.log" 2>&1 || { cat "$results/$preset.cmake.log"; exit 1; }
        cmake --build "build/$preset" -j "$jobs" --target "${2:-all}" >"$results/$preset.build.log" 2>&1 ||
            { grep -E 'error|warning|undefined|FAILED' "$results/$preset.build.log" | head -n 40; exit 1; }
    ) 9>"$results/$preset.lock"
}

# What later steps need, and clang-tidy, the longest of all: by what the tests on real engines, which mostly wait, leave
# of the machine.  Who needs a build builds it again, and says what is wrong with it.
go_on_beside() {
    renice -n 19 -p "$BASHPID" >/dev/null
    ! has tsan || build tsan
    ! has fuzz || build fuzz fuzzers
    ! has lint || ctest --test-dir build/sanitize --output-on-failure --no-tests=error -R clang-tidy \
        --output-junit "$results/clang-tidy.xml"
}

# What was well is only counted, unless somebody watches: counts.py says what failed, and how.
shown() {
    if [ -t 1 ]; then cat; else sed -unE '/\*\*\*|tests passed|tests failed|^Total Test time/p'; fi
}

failed_steps=0
group() { # group PRESET NAME ctest-arguments...: run some of a build's tests, keep the counts
    local preset=$1 name=$2
    shift 2
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --test-output-size-passed 100000 \
        --output-junit "$results/$name.xml" "$@" 2>&1 | tee "$results/$name.log" | shown || failed_steps=$((failed_steps + 1))
}

install_packages
if has lint || has unit; then
    step 'build: sanitize'
    build sanitize || failed_steps=$((failed_steps + 1))
fi
if has lint; then
    step 'static checks, but for clang-tidy'
    group sanitize lint -L lint -E clang-tidy
fi
if has real; then
    step 'build: release'
    build release real_parts && bash tests/real/setup.sh || failed_steps=$((failed_steps + 1))
fi
go_on_beside >"$results/beside.log" 2>&1 &
beside=$!
if has real; then
    step 'real engines and servers, and plugins of all kinds'
    # One more than there are cores: they mostly wait.  What fails with a whole engine on a busy machine is tried once
    # more, and told.
    group release real -L '^(real|release)$' -j $((jobs + 1)) --repeat until-pass:2
fi
if has unit; then
    step 'unit tests under ASan and UBSan'
    group sanitize unit -LE 'real|lint|fuzz' -j $((2 * jobs))
fi
if has tsan; then
    step 'unit tests under TSan'
    build tsan && group tsan tsan -L unit -j $((2 * jobs)) || failed_steps=$((failed_steps + 1))
fi
step 'what went on beside: clang-tidy'
wait "$beside" || failed_steps=$((failed_steps + 1))
shown <"$results/beside.log"
if has fuzz; then
    step 'fuzzers, 30 s each'
    build fuzz fuzzers && group fuzz fuzz -L fuzz -j "$jobs" || failed_steps=$((failed_steps + 1))
fi
if has real; then
    GANTRY_BUILD=build/release python3 tests/real/matrix/run.py --show
    GANTRY_BUILD=build/release python3 tests/real/kit/run.py --show
fi
step 'done'
python3 tests/counts.py "$failed_steps" "$results"/*.xml
