#!/bin/bash
# 50 new connectors until all run, on each backend, beside the engine's own floor in the same run:
#   bash bench/backends.sh [BACKEND...]     docker portainer podman podman-rootless swarm process; about 5 minutes
#
# On 2 cores that others were using too (Debian 12: Docker 20.10.24, Podman 4.3.1) it printed:
#
#   backend               floor     Gantry   ratio  a connector
#   docker               4.79 s     5.51 s    1.15     +14.3 ms
#   portainer            5.30 s     6.20 s    1.17     +17.9 ms
#   podman               2.37 s     3.17 s    1.34     +16.0 ms
#   podman-rootless      2.29 s     3.01 s    1.32     +14.6 ms
#   swarm                3.57 s     4.67 s    1.31     +22.1 ms
#   process              0.05 s     0.82 s   17.91     +15.6 ms
#
# Busy machines make the engines' own times swing two- and threefold from run to run: only the two figures of one
# run can be compared, and a ratio near 1 means no difference.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/real/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
GANTRY_BUILD=$PWD/build/release exec python3 bench/backends.py "$@"
