"""What the workloads of the cases run: `/bin/sh -c SCRIPT`, with busybox's shell and tools or the host's.

A column makes one image (or command) of each before the first case; Backend.image(NAME) refers to it.
"""

# Writes a line a second and ends at once on TERM: a shell only sees the signal between two commands, so it
# waits for the sleep instead of running it.
SCRIPTS = {
    "busy": "trap 'exit 0' TERM; i=0; while :; do echo line $i; i=$((i+1)); sleep 1 & wait $!; done",
    "quick": "echo done; exit 0",
    "crash": "echo about to fail; exit 5",
    # Ignores TERM, as its child then does.
    "deaf": "trap '' TERM; echo deaf; while :; do sleep 1000; done",
    # The pauses give an engine the time to look, before and after: Docker hears of it by another way than of the end.
    "hungry": "echo hungry; sleep 1; tail /dev/zero; code=$?; sleep 1; exit $code",
    "big-line": "head -c 1048576 /dev/zero | tr '\\0' x; echo; echo short; printf last; exec sleep 1000",
    "words": "printf 'a\\n\\nb\\r\\nwithout end'",
    "many": "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done",
    "both": "i=0; while [ $i -lt 2000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done; exec sleep 1000",
}

# Besides, the image "nothing" has a program that does not exist.
NOTHING = "/nonexistent"
