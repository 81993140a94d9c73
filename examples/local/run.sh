#!/bin/bash
# Runs the two connectors of this folder on a container engine, and shows them in a table.
#
#   bash examples/local/run.sh            packages, build, engine, image, then the table until Ctrl-C
#   bash examples/local/run.sh --down     takes all of it away again, but for packages and the build
#
# An engine that answers (DOCKER_HOST, or /var/run/docker.sock) is used; else Debian's docker.io is installed,
# and one is started below build/example, for this alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/build/example
bin=$PWD/build/release/bin
config=examples/local/gantry.ini
image=gantry-example:1
own=unix://$work/docker.sock

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
        cmake --build --preset release --target gantryd plugin_docker >>"$work/build.log" 2>&1 ||
        { tail -n 20 "$work/build.log" >&2; fail "the build failed, see $work/build.log"; }
}

engine_api() { # engine_api PATH [curl option]...: a call to $engine
    local path=$1 options=(--fail-with-body -sS)
    shift
    case $engine in
    unix://*) options+=(--unix-socket "${engine#unix://}" "http://docker$path") ;;
    tcp://*)
        local tls=${DOCKER_CERT_PATH:-}
        if [ -n "$tls" ]; then
            options+=(--cacert "$tls/ca.pem" --cert "$tls/cert.pem" --key "$tls/key.pem" "https://${engine#tcp://}$path")
        else
            options+=("http://${engine#tcp://}$path")
        fi ;;
    *) fail "DOCKER_HOST is '$engine'; unix://PATH or tcp://HOST:PORT is understood" ;;
    esac
    curl "${options[@]}" "$@"
}

answers() {
    local engine=$1
    engine_api /_ping -m 5 >/dev/null 2>&1
}

find_engine() { # sets $engine; starts none
    need 'curl --version' curl ca-certificates
    engine=${DOCKER_HOST:-}
    if [ -n "$engine" ]; then
        answers "$engine" || fail "the engine of DOCKER_HOST, '$engine', does not answer; start it, or unset DOCKER_HOST"
    elif answers "$own"; then
        engine=$own
    elif answers unix:///var/run/docker.sock; then
        engine=unix:///var/run/docker.sock
    else
        return 1
    fi
}

install_engine() {
    [ ! -x /usr/sbin/dockerd ] || return 0
    # The package would start an engine for the whole machine; nobody has asked for that.
    local policy=/usr/sbin/policy-rc.d
    [ "$(id -u)" != 0 ] || [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && trap "rm -f $policy" EXIT; }
    need 'test -x /usr/sbin/dockerd' docker.io
}

start_engine() {
    [ "$(id -u)" = 0 ] || fail "no container engine answers; start one, or run this as root"
    [ ${#work} -le 70 ] || fail "the path of $work is too long for the sockets of an engine; move this folder"
    install_engine
    echo "starting a container engine of our own below $work"
    engine=$own
    # What an init system does, where there is none.
    grep -q ' cgroup2\? ' /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir -p "$work/docker"
    rm -f "$work/docker.pid"
    echo "$own" >"$work/engine" # --down finds it from here on
    # Without a bridge and rules of its own: the connectors need no network, and nothing of it stays behind.
    PATH=/usr/sbin:$PATH setsid /usr/sbin/dockerd --data-root "$work/docker/data" --exec-root "$work/docker/exec" \
        --bridge=none --iptables=false --ip6tables=false -H "$own" --pidfile "$work/docker.pid" \
        >>"$work/docker.log" 2>&1 </dev/null &
    local dockerd=$!
    for _ in $(seq 300); do
        ! answers "$own" || return 0
        kill -0 $dockerd 2>/dev/null || break
        sleep 0.2
    done
    tail -n 5 "$work/docker.log" >&2
    kill $dockerd 2>/dev/null || true
    fail "the engine did not start, see $work/docker.log"
}

stop_engine() {
    local pid
    pid=$(cat "$work/docker.pid")
    kill "$pid"
    for _ in $(seq 150); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.2
    done
    ! kill -0 "$pid" 2>/dev/null || fail "the engine, process $pid, does not end; see $work/docker.log"
    # What an engine has mounted can outlive it.
    awk -v below="$work/docker/" 'index($2, below) == 1 { print $2 }' /proc/mounts | tac | xargs -r -n 1 umount -l
}

make_image() { # from Debian's static busybox: nothing is pulled
    local tree=$work/image
    ! engine_api "/images/$image/json" >/dev/null 2>&1 || return 0
    need 'test -x /bin/busybox && ! ldd /bin/busybox' busybox-static
    mkdir -p "$tree/bin"
    cp -L /bin/busybox "$tree/bin/busybox"
    for applet in sh date sleep; do ln -sf busybox "$tree/bin/$applet"; done
    cp examples/local/connector.sh "$tree/connector"
    chmod 755 "$tree/connector"
    touch "$work/image-made"
    tar -C "$tree" -c . | engine_api \
        "/images/create?fromSrc=-&repo=${image%:*}&tag=${image#*:}&changes=CMD%20%5B%22%2Fconnector%22%5D" \
        -X POST -H 'Content-Type: application/x-tar' --data-binary @- >"$work/image.log" ||
        { tail -n 3 "$work/image.log" >&2; fail "the engine did not take the image, see $work/image.log"; }
}

take_down() {
    engine=$(cat "$work/engine" 2>/dev/null) || { rm -rf "$work"; echo "nothing is there"; return; }
    # Its containers are removed by the engine that has them, so an engine of our own that has ended starts again.
    answers "$engine" || { [ "$engine" = "$own" ] && start_engine; } || fail "the engine '$engine' does not answer; start it"
    build
    DOCKER_HOST=$engine "$bin/gantryd" --config "$config" --down
    if [ -e "$work/image-made" ]; then
        engine_api "/images/$image" -X DELETE >/dev/null || fail "the image $image could not be removed"
    fi
    [ "$engine" != "$own" ] || stop_engine
    rm -rf "$work"
    echo "nothing is left"
}

bring_up() {
    mkdir -p "$work"
    build
    find_engine || start_engine
    local before
    before=$(cat "$work/engine" 2>/dev/null || echo "$engine")
    [ "$before" = "$engine" ] ||
        fail "connectors may run on '$before' and '$engine' is another engine; run 'bash examples/local/run.sh --down' first"
    echo "$engine" >"$work/engine"
    make_image
    if [ -t 1 ] && [ $# = 0 ]; then set -- --table; fi
    DOCKER_HOST=$engine "$bin/gantryd" --config "$config" "$@"
    echo "the connectors run on; 'bash examples/local/run.sh --down' takes everything away"
}

case ${1:-} in
--down) take_down ;;
*) bring_up "$@" ;;
esac
