"""One of three brokers dies, and with it a member: leaders and coordinators move under load."""

from collections import Counter
from dataclasses import dataclass

from cluster import Cluster
from exact import Truth
from group import Group
from harness.waiting import wait_until
from load import TOPIC, Load, Producer

NAME = "leaders"
PROMISE = "leaders of data, state, offsets and transactions move"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"came twice"

_INTERNAL = ("__consumer_offsets", "__transaction_state")


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    rounds: int  # each kills every broker once


SMALL = Plan(30_000, 6_000, 3, 1)
FULL = Plan(1_500_000, 80_000, 6, 10)


def run(plan, seed):
    return _run(plan, seed, "exactly_once")


def control(plan, seed):
    """At least once: the same faults must be seen as alerts that come twice."""
    return _run(plan, seed, "at_least_once")


def _run(plan, seed, delivery):
    moved = Counter()
    with Cluster() as cluster:
        group = Group(cluster, NAME, plan.partitions, delivery=delivery)
        topics = [TOPIC, *(f"{NAME}.{own}" for own in ("alerts", "dead-letters", "state"))]
        try:
            group.start(2)
            topics += _INTERNAL if delivery == "exactly_once" else _INTERNAL[:1]
            faults = plan.rounds * len(cluster.nodes())
            for number in range(faults):
                load = Load(plan.events, plan.accounts, seed).piece(number, faults)
                producer = Producer(cluster, load, max(1500, load.events / 10))
                _progress(group)
                node = cluster.nodes()[number % len(cluster.nodes())]
                moved += _lose(cluster, node, group, group.members[number % 2], topics)
                producer.wait()
            missing = set(topics) - set(moved)
            assert not missing, f"no leader of {missing} has moved"
            group.wait_until_judged()
            truth = Truth(cluster, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return (
        f"{faults} brokers and members killed, {moved.total()} leaders moved, "
        f"{truth.records():,} records, {truth.expectation.alerts():,} alerts"
    )


def _lose(cluster, node, group, member, topics):
    """A host with a broker and a member is lost and comes back; {topic: leaders moved}."""
    before = cluster.leaders(topics)
    led = {place for place, leader in before.items() if leader == node}
    cluster.kill(node)
    member.kill()
    wait_until(
        lambda: all(cluster.leaders(topics)[place] not in (node, -1) for place in led),
        f"partitions of broker {node} find no other leader",
        60,
    )
    _progress(group)  # the others go on without it
    member.start()
    cluster.restart(node)
    cluster.wait_whole(topics)
    return Counter(topic for topic, _ in led)


def _progress(group):
    committed = group.records_committed()
    wait_until(lambda: group.records_committed() > committed, group.describe_progress, 60)
