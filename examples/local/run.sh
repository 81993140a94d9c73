#!/bin/bash
# Runs the two connectors of this folder as processes of this machine, and shows them in a table.
#
#   bash examples/local/run.sh            packages, build, start, then the table until Ctrl-C
#   bash examples/local/run.sh --down     takes all of it away again, but for packages and the build
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/build/example
bin=$PWD/build/release/bin
config=examples/local/gantry.ini

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

need() { # need PROBE PACKAGE...: install what is not there
    local probe=$1
    shift
    eval "$probe" >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] || fail "these packages are needed: $*; install them, or run this as root"
    echo "installing $*"
    [ -n "${updated:-}" ] || apt-get update -qq
    updated=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$work/apt.log" 2>&1 ||
        fail "apt-get install $* failed, see $work/apt.log"
}

build() {
    need 'cmake --version && ninja --version && cc --version && python3 --version' gcc libc6-dev cmake ninja-build python3
    need 'pkg-config --exists libcurl libcjson inih libcrypto' pkg-config libcurl4-openssl-dev libcjson-dev libinih-dev libssl-dev
    # A folder that is there already keeps its options: it may be the one that the tests use.
    { [ -f build/release/build.ninja ] || cmake --preset release -DGANTRY_TESTS=OFF; } >"$work/build.log" 2>&1 &&
        cmake --build --preset release --target gantryd plugin_process >>"$work/build.log" 2>&1 ||
        { tail -n 20 "$work/build.log" >&2; fail "the build failed, see $work/build.log"; }
}

take_down() {
    [ -d "$work" ] || { echo "nothing is there"; return; }
    build
    "$bin/gantryd" --config "$config" --down
    rm -rf "$work"
    echo "nothing is left"
}

bring_up() {
    mkdir -p "$work"
    build
    if [ $# = 0 ]; then
        local began ended
        began=$(date +%s%3N)
        "$bin/gantryd" --config "$config" --once 2>"$work/start.log" ||
            { tail -n 5 "$work/start.log" >&2; fail "the connectors did not start, see $work/start.log"; }
        ended=$(date +%s%3N)
        echo "both connectors run, $((ended - began)) ms after gantryd was started"
        [ ! -t 1 ] || set -- --table
    fi
    "$bin/gantryd" --config "$config" "$@"
    echo "the connectors run on; 'bash examples/local/run.sh --down' takes everything away"
}

case ${1:-} in
--down) take_down ;;
*) bring_up "$@" ;;
esac
