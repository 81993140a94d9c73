"""What a workload writes, read by cursor.  By the plugin's operations."""

import time

from lib.wait import eventually
from scene import case


def read(s, handle, cursor=None, max_lines=100000, **limits):
    given = {"cursor": cursor} if cursor else {}
    return s.driver.must("logs", handle=handle, max_lines=max_lines, **given, **limits)["lines"]


def texts(s, handle, count, cursor=None):
    """Wait for so many lines."""
    def probe():
        lines = read(s, handle, cursor)
        assert len(lines) >= count, [line["text"][:60] for line in lines]
        return lines
    return eventually(probe, 20, f"{count} lines", pause=0.2)


def without_end(text):
    """A terminal turns a line feed into two characters; the plugin may leave the first."""
    return text.rstrip("\r")


@case
def log_line_of_a_mebibyte_comes_whole(s):
    handle = s.driver.start(spec=s.spec(image="big-line"))["handle"]
    lines = texts(s, handle, 2)
    assert [line["size"] for line in lines[:2]] == [1 << 20, 5], [line["size"] for line in lines]
    assert lines[0]["text"] == "x" * (1 << 20) and lines[1]["text"] == "short"
    again = read(s, handle, lines[0]["cursor"])
    assert again and again[0]["text"] == "short", again
    cut = read(s, handle, max_line_bytes=100)
    assert cut[0]["text"] == "x" * 94 + " [cut]" and cut[1]["text"] == "short", cut[0]["text"][:120]


@case
def log_without_newline_comes_when_it_ends(s):
    handle = s.driver.start(spec=s.spec(image="words"), once=True)["handle"]
    lines = texts(s, handle, 4)
    assert [line["text"] for line in lines] == ["a", "", "b\r", "without end"]
    assert all(line["stream"] == 1 and int(line["time_ns"]) > 10**18 for line in lines), lines
    eventually(lambda: s.driver.inspect(handle)["state"] == "exited", 10, "it has ended", pause=0.1)
    s.driver.start(handle=handle, once=True)
    after = texts(s, handle, 4, lines[-1]["cursor"])
    assert [line["text"] for line in after] == ["a", "", "b\r", "without end"], after


@case
def log_of_two_streams_is_whole(s):
    """Frames: nothing is lost, nothing comes twice, and each line has its stream."""
    handle = s.driver.start(spec=s.spec(image="both"))["handle"]
    cursor, lines = None, []
    end = time.monotonic() + 30
    while len(lines) < 4000 and time.monotonic() < end:
        new = read(s, handle, cursor)
        lines += new
        cursor = new[-1]["cursor"] if new else cursor
    out = [line["text"] for line in lines if line["stream"] == 1]
    err = [line["text"] for line in lines if line["stream"] == 2]
    assert out == [f"o{i}" for i in range(2000)], (len(out), out[:3])
    assert err == [f"e{i}" for i in range(2000)], (len(err), err[:3])
    assert read(s, handle, cursor) == []
    whole = read(s, handle)
    for i in range(7, 3999, 997):
        rest = [line["text"] for line in read(s, handle, whole[i]["cursor"])]
        assert rest == [line["text"] for line in whole[i + 1:]], i


@case
def log_of_a_terminal_has_no_frames(s):
    handle = s.outside(s.name(), labels=s.labels(s.name()), script="big-line", tty=True)
    lines = texts(s, handle, 2)
    assert without_end(lines[0]["text"]) == "x" * (1 << 20), [line["size"] for line in lines]
    assert without_end(lines[1]["text"]) == "short", lines[1]
    assert [without_end(line["text"]) for line in read(s, handle, lines[0]["cursor"])][:1] == ["short"]


@case
def newest_lines_are_kept_when_there_are_too_many(s):
    handle = s.driver.start(spec=s.spec(image="many"), once=True)["handle"]
    lines = texts(s, handle, 300)
    assert [line["text"] for line in lines] == [str(n) for n in range(300)], len(lines)
    newest = [str(n) for n in range(290, 300)]
    few = {"max_lines": 10}, {"max_bytes": 30}
    for limits in few:
        assert [line["text"] for line in read(s, handle, **limits)] == newest, limits
    assert [line["text"] for line in read(s, handle, lines[5]["cursor"], max_lines=3)] == newest[-3:]
