"""SIGTERM under full load: the member ends with 0 within five seconds, and nothing is lost."""

import random
import time
from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group
from harness.waiting import wait_until
from load import Load, Producer

NAME = "stop"
PROMISE = "SIGTERM under full load: exit 0 within 5 s"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"stopped after"

_LIMIT_S = 5.0


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    members: int
    stops: int


SMALL = Plan(120_000, 10_000, 6, 2, 3)
FULL = Plan(2_000_000, 80_000, 12, 3, 50)


def run(plan, seed):
    return _run(plan, seed, {})


def control(plan, seed):
    """A member whose every transaction takes longer than the limit, which must see it."""
    slow = {"CARACAL_FAILPOINTS": "transaction.begin=delay:5500"}
    return _run(plan, seed, slow)


def _run(plan, seed, environment):
    rng = random.Random(seed)
    slowest = 0.0
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, environment=environment)
        try:
            group.start(plan.members)
            group.wait_in_group(plan.members)
            piece = plan.events // plan.stops
            for number in range(plan.stops):
                load = Load(plan.events, plan.accounts, seed).piece(number, plan.stops)
                committed = group.records_committed()
                producer = Producer(broker, load)
                wait_until(
                    lambda: group.records_committed() > committed + piece // 10,
                    group.describe_progress,
                )
                member = rng.choice(group.members)
                begin = time.monotonic()
                code = member.terminate()
                took = time.monotonic() - begin
                assert code == 0, f"exit code {code}: {member.describe()}"
                assert took <= _LIMIT_S, f"stopped after {took:.1f} s: {member.describe()}"
                slowest = max(slowest, took)
                member.start()
                producer.wait()
                # A process that has not come to its main function yet ends of a SIGTERM.
                wait_until(member.metrics, member.describe)
            group.wait_until_judged(300)
            truth = Truth(broker, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return f"{plan.stops} stops, slowest {slowest:.1f} s, {truth.records():,} records"
