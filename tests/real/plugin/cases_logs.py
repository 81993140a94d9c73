"""Logs by cursor."""

import time

from lib.wait import eventually
from world import case, spec, with_settings


def read(w, handle, cursor=None, **limits):
    arguments = {"cursor": cursor} if cursor else {}
    return w.driver.must("logs", handle=handle, **arguments, **limits)["lines"]


def all_read(w, handle, count):
    return eventually(lambda: (lambda lines: lines if len(lines) >= count else None)(read(w, handle, max_lines=100000)),
                      20, f"{count} lines")


def read(w, handle, cursor=None, **limits):
    arguments = {"cursor": cursor} if cursor else {}
    return w.driver.must("logs", handle=handle, **arguments, **limits)["lines"]


def all_read(w, handle, count):
    return eventually(lambda: (lambda lines: lines if len(lines) >= count else None)(read(w, handle, max_lines=100000)),
                      20, f"{count} lines")


@case
def long_line_comes_whole(w):
    handle = w.driver.start(spec=spec(image="test/long:latest"))["handle"]
    lines = all_read(w, handle, 2)
    assert lines[0]["text"] == "x" * 40000 and lines[1]["text"] == "short", [line["size"] for line in lines]
    again = read(w, handle, lines[0]["cursor"])
    assert [line["text"] for line in again] == ["short"]
    cut = read(w, handle, max_line_bytes=100)
    assert cut[0]["text"] == "x" * 94 + " [cut]" and cut[1]["text"] == "short"


@case
def lines_are_as_the_program_wrote_them(w):
    handle = w.driver.start(spec=spec(image="test/words:latest", settings=with_settings(restart="no")))["handle"]
    lines = all_read(w, handle, 4)
    assert [line["text"] for line in lines] == ["a", "", "b\r", "without end"]
    assert all(line["stream"] == 1 and int(line["time_ns"]) > 10**18 for line in lines)
    eventually(lambda: w.driver.inspect(handle)["state"] == "exited")
    w.driver.start(handle=handle)
    after = eventually(lambda: (lambda found: found if len(found) == 4 else None)(read(w, handle, lines[-1]["cursor"])))
    assert [line["text"] for line in after] == ["a", "", "b\r", "without end"]


@case
def nothing_is_lost_and_nothing_comes_twice(w):
    handle = w.driver.start(spec=spec(image="test/both:latest"))["handle"]
    cursor, texts = None, []
    deadline = time.monotonic() + 30
    while len(texts) < 4000 and time.monotonic() < deadline:
        lines = read(w, handle, cursor, max_lines=100000)
        texts += [line["text"] for line in lines]
        cursor = lines[-1]["cursor"] if lines else cursor
    assert [t for t in texts if t[0] == "o"] == [f"o{i}" for i in range(2000)], len(texts)
    assert [t for t in texts if t[0] == "e"] == [f"e{i}" for i in range(2000)], len(texts)
    w.requests()
    assert read(w, handle, cursor) == [] and len(w.requests()) == 1


@case
def every_cursor_continues_where_it_was_given(w):
    handle = w.driver.start(spec=spec(image="test/many:latest", settings=with_settings(restart="no")))["handle"]
    lines = all_read(w, handle, 300)
    for i in range(0, 300, 23):
        assert [line["text"] for line in read(w, handle, lines[i]["cursor"])] == [str(n) for n in range(i + 1, 300)]


@case
def newest_lines_are_kept_when_there_are_too_many(w):
    handle = w.driver.start(spec=spec(image="test/many:latest", settings=with_settings(restart="no")))["handle"]
    lines = all_read(w, handle, 300)
    assert [line["text"] for line in read(w, handle, max_lines=10)] == [str(n) for n in range(290, 300)]
    assert [line["text"] for line in read(w, handle, max_bytes=30)] == [str(n) for n in range(290, 300)]
    assert [line["text"] for line in read(w, handle, lines[5]["cursor"], max_lines=3)] == ["297", "298", "299"]


@case
def terminal_has_no_frames(w):
    made = w.engine.api("POST", "/containers/create?name=tty", {
        "Image": "test/long", "Tty": True, "HostConfig": {"NetworkMode": "none"}})["Id"]
    w.engine.start_container(made)
    lines = all_read(w, made, 2)
    assert [line["text"] for line in lines] == ["x" * 40000, "short"], [line["size"] for line in lines]
    assert [line["text"] for line in read(w, made, lines[0]["cursor"])] == ["short"]


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
