#!/bin/sh
# Install what the tests with real parts need on Debian 12: a Docker Engine, Podman, a registry, nginx, Apollo Server.
# May be run again; does only what is missing, and is quiet about it.  It starts no daemon.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

wanted=
for pair in /usr/sbin/dockerd:docker.io /usr/bin/containerd:containerd /usr/sbin/runc:runc \
    /usr/sbin/iptables:iptables /usr/bin/docker-registry:docker-registry /usr/bin/htpasswd:apache2-utils \
    /usr/sbin/nginx:nginx /usr/lib/nginx/modules/ngx_http_lua_module.so:libnginx-mod-http-lua \
    /bin/busybox:busybox-static /usr/bin/faketime:faketime /usr/bin/openssl:openssl /usr/bin/python3:python3 \
    /usr/bin/node:nodejs /usr/bin/npm:npm /usr/bin/podman:podman /usr/bin/conmon:conmon \
    /usr/bin/catatonit:catatonit /usr/bin/newuidmap:uidmap /usr/bin/slirp4netns:slirp4netns; do
    [ -e "${pair%%:*}" ] || wanted="$wanted ${pair#*:}"
done
# A busybox that needs a C library is of no use in an image without one.
if [ -e /bin/busybox ] && ldd /bin/busybox >/dev/null 2>&1; then
    wanted="$wanted busybox-static"
fi
if [ -n "$wanted" ]; then
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # Some machines have no init system and some refuse daemons; either way none is wanted here.
    if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends $wanted; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup.sh: cannot install:$wanted" >&2
        exit 1
    fi
    rm -f "$log"
fi

cd "$here/platform"
stamp=node_modules/.package-lock.sha256
sum=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$sum" ]; then
    log=$(mktemp)
    if ! npm ci --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "setup.sh: npm ci failed in $here/platform" >&2
        exit 1
    fi
    rm -f "$log"
    echo "$sum" >"$stamp"
fi
