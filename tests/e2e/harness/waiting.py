"""Bounded waits on conditions; no test sleeps for a fixed time."""

import time


class WaitTimeout(AssertionError):
    """A condition did not come true in time."""


def wait_until(condition, what, timeout_s=30, interval_s=0.05):
    """The first true value of condition(). `what` says what was waited for; a string, or a function
    that describes how far it got."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            detail = what() if callable(what) else what
            raise WaitTimeout(f"not within {timeout_s} s: {detail}")
        time.sleep(interval_s)
