#!/bin/bash
# The figures of the main job, each beside what it is compared with, measured in this one run:
#   bash bench/run.sh            everything, about 8 minutes
#   bash bench/run.sh start      time until 50 and 100 new connectors run, beside the docker command
#   bash bench/run.sh steady     CPU of a minute, memory
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/real/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
GANTRY_BUILD=$PWD/build/release exec python3 bench/main_job.py "$@"
