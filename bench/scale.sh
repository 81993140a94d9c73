#!/bin/bash
# What thousands of connectors cost: CPU of a cycle, memory a connector, each beside its goal and beside what a naive
# cycle costs; a platform and a runtime in memory, so that nothing else is measured.
#   bash bench/scale.sh [COUNT...]    default: 1000 10000; about 7 minutes
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/real/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
GANTRY_BUILD=$PWD/build/release exec python3 bench/scale.py "$@"
