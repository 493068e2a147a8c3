"""The broker goes down, cleanly and not, or cannot be reached for a while."""

import random
import time
from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group
from harness.waiting import WaitTimeout, wait_until
from load import Load, Producer

NAME = "bounce"
PROMISE = "broker bounce, client partitioned from broker"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"came twice"

_PATIENCE, _PATIENCE_S = 12, 20
_FAULTS = ("partition", "clean", "cut", "kill")


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    members: int
    faults: int
    longest_partition_s: int


SMALL = Plan(60_000, 10_000, 6, 2, 2, 12)
FULL = Plan(1_500_000, 80_000, 6, 3, 30, 120)


def run(plan, seed):
    return _run(plan, seed, "exactly_once")


def control(plan, seed):
    """At least once: the same faults must be seen as alerts that come twice."""
    return _run(plan, seed, "at_least_once")


def _run(plan, seed, delivery):
    rng = random.Random(seed)
    done, ended = [], 0
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, delivery=delivery)
        try:
            group.start(plan.members)
            for number in range(plan.faults):
                load = Load(plan.events, plan.accounts, seed).piece(number, plan.faults)
                before = group.records_in_topic()
                producer = Producer(broker, load, max(1500, load.events / 20))
                # One that finds no broker when it starts gives up.
                wait_until(lambda: group.records_in_topic() > before, "nothing is sent", 60)
                ended += _progress(broker, group, group.records_committed())
                fault = _FAULTS[number % len(_FAULTS)]
                done.append(fault)
                _cause(broker, fault, rng.uniform(5, plan.longest_partition_s))
                producer.wait()
                group.revive()
            ended += _wait_until_judged(broker, group) + _wait_until_readable(broker, group)
            truth = Truth(broker, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    counts = ", ".join(f"{done.count(fault)} {fault}" for fault in _FAULTS if fault in done)
    return (
        f"{counts}; {ended} transactions that the broker had lost ended by hand, "
        f"{truth.records():,} records, {truth.expectation.alerts():,} alerts"
    )


def _wait_until_judged(broker, group):
    return _with_an_operator(broker, group.wait_until_judged)


def _progress(broker, group, committed):
    def wait(timeout_s):
        more = lambda: group.records_committed() > committed
        wait_until(more, group.describe_progress, timeout_s)

    return _with_an_operator(broker, wait)


def _with_an_operator(broker, wait):
    """How many transactions hung: with one of these on the group's offsets, nobody can go on."""
    ended = 0
    for _ in range(_PATIENCE):
        try:
            wait(_PATIENCE_S)
            return ended
        except WaitTimeout:
            ended += broker.end_hanging_transactions()
    wait(60)
    return ended


def _wait_until_readable(broker, group):
    """As above, for those who read what the group has written."""
    ended = 0
    for output in ("alerts", "dead-letters"):
        try:
            group.read_stable(f"{group.name}.{output}")
        except WaitTimeout:
            ended += broker.end_hanging_transactions(f"{group.name}.{output}", group.partitions)
    return ended


def _cause(broker, fault, seconds):
    if fault == "partition":
        broker.proxy.partition()
        time.sleep(seconds)
        broker.proxy.heal()
    elif fault == "cut":
        for _ in range(5):
            broker.proxy.cut_all()
            time.sleep(1)
    elif fault == "kill":
        broker.restart_after_kill()
    else:
        broker.restart_cleanly()
