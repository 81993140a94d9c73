"""Logs by cursor."""

import time

from world import case, spec, with_settings


def read(w, handle, cursor=None, **limits):
    arguments = {"cursor": cursor} if cursor else {}
    return w.driver.must("logs", handle=handle, **arguments, **limits)["lines"]


@case
def log_survives_rotation(w):
    image = w.engine.make_image("test/talks", command=[
        "/bin/sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; exec sleep 1000"])
    handle = w.driver.start(spec=spec(image=image, settings=with_settings(log_max_size=20000, log_max_files=2)))["handle"]
    cursor, texts = None, []
    end = time.monotonic() + 20
    while time.monotonic() < end and (not texts or texts[-1] != 2999):
        lines = read(w, handle, cursor, max_lines=100000)
        texts += [int(line["text"]) for line in lines]
        cursor = lines[-1]["cursor"] if lines else cursor
    assert texts[-1] == 2999 and texts == sorted(set(texts)), "lines twice or out of order"


@case
def workload_that_never_ran_has_no_lines(w):
    made = w.engine.create("never", "test/busy", start=False, NetworkMode="none")
    assert read(w, made) == []


@case
def unreadable_log_is_unsupported(w):
    made = w.engine.create("none", "test/busy", NetworkMode="none", LogConfig={"Type": "none"})
    w.driver.fails("unsupported", "logs", handle=made)
