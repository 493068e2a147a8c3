"""A member stands still in the middle of its work, for longer than its session and its transaction
live, and goes on; another process takes its transactional id."""

import random
import time
from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group
from harness.waiting import WaitTimeout, wait_until
from load import Load, Producer
from proxy import Api, wire

NAME = "zombie"
PROMISE = "SIGSTOP 20-90 s at failpoints, hijacked transactional id"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"came twice"

_POINTS = (
    "transaction.offsets_sent",
    "output.sent",
    "transaction.commit",
    "epoch.sealed",
    "transaction.offsets",
    "snapshot.chunk",
    "epoch.seal",
    "transaction.done",
    "partition.revoke",
    "restore.state",
)
# Points that a life of some seconds meets once.
_SELDOM = ("partition.revoke", "restore.state")
_CROWDS = 4


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    members: int
    freezes: int
    hijacks: int
    longest_s: int


SMALL = Plan(60_000, 10_000, 6, 2, 1, 1, 22)
FULL = Plan(2_000_000, 100_000, 6, 3, 20, 10, 90)


def run(plan, seed):
    return _run(plan, seed, "exactly_once")


def control(plan, seed):
    """At least once: what the member does when it wakes up must be seen as alerts that come twice."""
    return _run(plan, seed, "at_least_once")


def _run(plan, seed, delivery):
    rng = random.Random(seed)
    hijacks = plan.hijacks if delivery == "exactly_once" else 0
    faults = ["freeze"] * plan.freezes + ["hijack"] * hijacks
    rng.shuffle(faults)
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, delivery=delivery)
        try:
            group.start(plan.members)
            for number, fault in enumerate(faults):
                load = Load(plan.events, plan.accounts, seed).piece(number, len(faults))
                producer = Producer(broker, load, load.events / 20)
                if fault == "freeze":
                    points = _POINTS if delivery == "exactly_once" else ("output.sent",)
                    _freeze(group, points[number % len(points)], rng, plan.longest_s)
                else:
                    _hijack(broker, group)
                producer.wait()
                group.revive()
            group.wait_until_judged(300)
            truth = Truth(broker, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return (
        f"{plan.freezes} freezes, {hijacks} hijacks, {truth.records():,} records, "
        f"{truth.expectation.alerts():,} alerts"
    )


def _freeze(group, point, rng, longest_s):
    """Restarts a member so that it stops at the point, and lets it go on when the others have taken
    its work over."""
    member = rng.choice(group.members)
    member.kill()
    passage = 1 if point in _SELDOM else rng.randrange(3, 8)
    member.start(CARACAL_FAILPOINTS=f"{point}=stop@{passage}")
    if point == "partition.revoke":
        _crowd(group, member, rng.choice([other for other in group.members if other is not member]))
    wait_until(member.frozen, lambda: f"{point}: nobody comes by\n{group.describe_progress()}", 60)
    time.sleep(rng.uniform(20, longest_s))
    member.thaw()


def _crowd(group, member, other):
    """Lets `member` have some of what `other` had, and give it back: again, where it got none."""
    for _ in range(_CROWDS):
        other.kill()
        group.wait_in_group(len(group.members) - 1)
        other.start()
        try:
            return wait_until(member.frozen, lambda: "not frozen", 20)
        except WaitTimeout:
            continue


def _hijack(broker, group):
    """Takes the transactional id that the next transaction uses, as a second process would."""
    seen = []

    def note(exchange):
        seen.append(wire.transactional_id(exchange.request))
        broker.kafka.init_producer_id(seen[0])
        exchange.forward()

    broker.proxy.intercept(Api.ADD_OFFSETS_TO_TXN, note, times=1)
    wait_until(lambda: seen, lambda: f"no transaction\n{group.describe_progress()}", 60)
