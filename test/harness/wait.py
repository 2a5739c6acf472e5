"""Waiting for a condition, never for a time: each wait has a deadline and says what it waited for."""

import time

POLL = 0.01  # seconds between two looks


class Timeout(AssertionError):
    """The condition did not come true in time."""


def wait_for(condition, what, seconds=10.0, poll=POLL):
    """The first true value that `condition()` returns; Timeout naming `what` after `seconds`.

    `what` is text, or a function that makes it when it is needed.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise Timeout(f"not within {seconds:g} s: {text}")
        time.sleep(poll)
