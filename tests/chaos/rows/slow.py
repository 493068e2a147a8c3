"""The broker takes alerts slowly, then not at all, while the load is more than it could take: the
member keeps its place in the group and its memory, commits what needs more than a transaction's
usual time, and catches up."""

import time
from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group
from harness.waiting import wait_until
from load import Load, Producer
from proxy import Api

NAME = "slow"
PROMISE = "slow or down alerts broker at twice the load: RSS within a cap, stays a member"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"has lost its place"

_SLOW_BYTES_PER_S = 200_000
_CARRIED_S = 600
_SESSION_S = 3


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    rounds: int
    slow_s: int
    down_s: int
    rss_mib: int


SMALL = Plan(150_000, 10_000, 6, 1, 15, 10, 400)
FULL = Plan(3_000_000, 100_000, 6, 3, 60, 600, 700)


def run(plan, seed):
    return _run(plan, seed, lambda group: None)


def control(plan, seed):
    """A member that stands still instead: it must be seen to lose its place."""
    return _run(plan, seed, _stand_still)


def _run(plan, seed, disturb):
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions)
        try:
            group.start(1)
            group.wait_in_group(1)
            highest = 0.0
            load = Load(plan.events, plan.accounts, seed)
            for number in range(plan.rounds):
                loads = [load.piece(2 * number + half, 2 * plan.rounds) for half in (0, 1)]
                highest = max(highest, _round(plan, broker, group, loads, disturb))
            group.wait_until_judged(300)
            truth = Truth(broker, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return (
        f"{plan.rounds} × {plan.slow_s} s slow and {plan.down_s} s down, RSS at most "
        f"{highest:.0f} of {plan.rss_mib} MiB, {truth.records():,} records"
    )


def _round(plan, broker, group, loads, disturb):
    """The highest RSS in MiB."""
    member = group.members[0]
    members = group.kafka.group_members(group.name)
    slow = broker.proxy.intercept(Api.PRODUCE, _slowly)
    Producer(broker, loads[0]).wait()
    # Sent at once, so some transactions hold nearly all of it, and no such link carries one of
    # them within the usual five seconds.
    enough = sum(group.sources_end().values()) - loads[0].events // 4
    highest = _watch(plan, member, plan.slow_s)
    wait_until(lambda: group.records_committed() >= enough, group.describe_progress, _CARRIED_S)
    disturb(group)
    producer = Producer(broker, loads[1])
    down = broker.proxy.intercept(Api.PRODUCE, lambda exchange: exchange.cut())
    broker.proxy.remove(slow)
    highest = max(highest, _watch(plan, member, plan.down_s))
    backlog = sum(group.sources_end().values()) - group.records_committed()
    broker.proxy.remove(down)
    assert backlog > 0, "nothing waited: the broker was not slow enough to prove anything"
    assert group.kafka.group_members(group.name) == members, (
        f"the member has lost its place: {members} became "
        f"{group.kafka.group_members(group.name)}\n{group.describe_progress()}"
    )
    producer.wait()
    return highest


def _slowly(exchange):
    time.sleep(min(10, len(exchange.request.frame) / _SLOW_BYTES_PER_S))
    exchange.forward()


def _watch(plan, member, seconds):
    highest, deadline = 0.0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        highest = max(highest, member.rss_mib())
        assert highest <= plan.rss_mib, f"RSS {highest:.0f} MiB: {member.describe()}"
        time.sleep(0.1)
    return highest


def _stand_still(group):
    member = group.members[0]
    member.freeze()
    wait_until(
        lambda: not group.kafka.group_members(group.name),
        "the group keeps a member that stands still",
        10 * _SESSION_S,
    )
    member.thaw()
