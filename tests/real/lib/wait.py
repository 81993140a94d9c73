"""Waiting for something to become true, with a limit and a reason."""

import time


class Timeout(AssertionError):
    """What was waited for did not come."""


def eventually(probe, timeout=15.0, what=None, pause=0.05):
    """Call probe() until it is truthy, and return that.  An AssertionError in it means: not yet."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = probe()
            if value:
                return value
            last = None
        except AssertionError as error:
            last = error
        if time.monotonic() >= end:
            name = what or getattr(probe, "__name__", "condition")
            raise Timeout(f"not within {timeout:g} s: {name}" + (f" ({last})" if last else ""))
        time.sleep(pause)


def stays(probe, seconds, what=None, pause=0.1):
    """probe() must be truthy the whole time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not probe():
            raise AssertionError(f"did not stay true for {seconds:g} s: {what or probe.__name__}")
        time.sleep(pause)
