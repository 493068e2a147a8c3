"""Decisions worked out by hand for the two reference rulesets, boundaries first.

reference-profile: with at least 3 earlier amounts of the account (the last 50 count), alert when
amount > 3 × their mean and amount > 500, both strict.
reference-score: more than 5 payments of the account in the last 60 seconds (exactly 60 s old still
counts, own included): +40; amount > 4000: +50; alert when the score exceeds 70.
"""

from dataclasses import dataclass

PROFILE = "reference-profile"
SCORE = "reference-score"


@dataclass(frozen=True)
class Payment:
    account: int
    micros: int  # after the start of the scenario
    amount: str
    alerts: tuple = ()  # names of the rulesets that must alert on it


def _payments(account, *steps):
    """steps: (seconds, amount) or (seconds, amount, ruleset that alerts)."""
    return [
        Payment(account, round(seconds * 1_000_000), amount, tuple(alerts))
        for seconds, amount, *alerts in steps
    ]


def _every_hour(account, amounts, last):
    """One amount per hour without an alert, then `last` = (amount, *rulesets that alert)."""
    steps = [(hour * 3600, amount) for hour, amount in enumerate(amounts)]
    return _payments(account, *steps, (len(amounts) * 3600, *last))


PAYMENTS = (
    # The first of six payments is exactly 60 s old: it still counts.
    _payments(
        101,
        (0, "10"),
        (10, "10"),
        (20, "10"),
        (30, "10"),
        (40, "10"),
        (60, "4000.01", PROFILE, SCORE),
    )
    # One microsecond more, and it does not.
    + _payments(
        102,
        (0, "4100"),
        (1, "4100"),
        (2, "4100"),
        (3, "4100"),
        (4, "4100"),
        (60.000001, "4100"),
    )
    # The fifth payment is not more than five; 4000 is not more than 4000.
    + _payments(
        103,
        (0, "3900"),
        (1, "3900"),
        (2, "3900"),
        (3, "3900"),
        (4, "5000"),
        (5, "4000.00"),
        (6, "4000.01", SCORE),
    )
    # The third payment has two earlier ones, too few; exactly three times the mean is not more.
    + _payments(
        111,
        (0, "100"),
        (3600, "100"),
        (7200, "1000"),
        (10800, "1200.00"),  # mean 400
        (14400, "1800.01", PROFILE),  # mean 600
    )
    # The fourth payment is the first that can be judged, and 500 is not more than 500.
    + _payments(112, (0, "50"), (3600, "50"), (7200, "50"), (10800, "500.00"))
    + _payments(113, (0, "50"), (3600, "50"), (7200, "50"), (10800, "500.01", PROFILE))
    # Of 51 earlier amounts the oldest is forgotten: mean 100. Of 50 it is not: mean 298.
    + _every_hour(114, ["10000"] + ["100"] * 50, ("600", PROFILE))
    + _every_hour(115, ["10000"] + ["100"] * 49, ("600",))
    # Refunds are amounts like any other: mean -50.
    + _every_hour(116, ["-50", "-50", "-50"], ("500.01", PROFILE))
    # A payment that is late by event time lies in no window: 40 points are missing.
    + _payments(
        117,
        (100, "4100"),
        (101, "4100"),
        (102, "4100"),
        (103, "4100"),
        (104, "4100"),
        (10, "4100"),
    )
    # Out of order within the window: the sixth payment by arrival raises.
    + _payments(
        118,
        (50, "4100"),
        (40, "4100"),
        (30, "4100"),
        (20, "4100"),
        (10, "4100"),
        (0, "4100", SCORE),
    )
)
