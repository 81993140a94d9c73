#!/bin/sh
# A connector that does no more than to say so, every second.
trap 'exit 0' TERM
n=0
while :; do
    n=$((n + 1))
    echo "${GREETING:-hello} $n $(date)"
    sleep 1 &
    wait $!
done
