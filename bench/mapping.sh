#!/bin/bash
# A mapping of 30 fields on JSON answers of 10 MiB, beside jq in this same run, about a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v jq >/dev/null || { echo "bench: jq is missing; apt-get install jq"; exit 1; }
cmake --preset release >/dev/null
cmake --build build/release --target gantry-tool >/dev/null
exec python3 bench/mapping.py build/release/bin/gantry
