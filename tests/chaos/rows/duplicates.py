"""The connector delivers everything again, at full rate and beside what is new: rows inside the
declared bound (rows_per_bucket) count once, rows beyond it count as the bound says."""

from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group
from load import Load, Producer

NAME = "duplicates"
PROMISE = "duplicates and re-snapshots at full rate, inside and beyond the declared bound"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"expected \d+ alerts|expected for offset"

_WITHIN = 65_536
_BEYOND = 256


@dataclass(frozen=True)
class Plan:
    events: int  # sent, then sent again
    accounts: int
    partitions: int
    rounds: int


SMALL = Plan(50_000, 8_000, 6, 1)
FULL = Plan(1_200_000, 90_000, 6, 10)


def run(plan, seed):
    said = []
    for number in range(plan.rounds):
        for rows in (_WITHIN, _BEYOND):
            said.append(_run(plan, seed + number, rows, None))
    return f"{plan.rounds} × {plan.events:,} rows sent twice; " + said[0] + "; " + said[1]


def control(plan, seed):
    """Members that forget rows, compared with an oracle that does not: seen as alerts that nobody
    expects."""
    return _run(plan, seed, _BEYOND, _WITHIN)


def _run(plan, seed, rows, assumed):
    """rows: rows_per_bucket of the members; assumed: that of the oracle, None = the same."""
    environment = {"CHAOS_ROWS_PER_BUCKET": str(rows)}
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, environment=environment)
        try:
            group.start(2)
            load = Load(plan.events, plan.accounts, seed, (("--resnapshots", 0.02),))
            Producer(broker, load, max(2000, plan.events / 60)).wait()
            again = Producer(broker, load)
            new = Producer(broker, Load(plan.events, plan.accounts, seed).piece(9, 10), 2000)
            group.members[0].kill()
            group.members[0].start()
            again.wait()
            new.wait()
            group.wait_until_judged(300)
            truth = Truth(broker, group, rows_per_bucket=assumed, environment=environment)
            try:
                truth.check(group)
            finally:
                truth.close()
            group.stop_members()
        finally:
            group.kill_members()
    return f"{rows:,} rows per bucket: {truth.expectation.alerts():,} alerts"
