"""A flood of accounts that pay once: memory stays within its cap, and the accounts that fit the
budget, because they pay again and again, are judged exactly. Accounts chosen to collide: exact, and
not much dearer than others."""

import json
import random
import re
from dataclasses import dataclass, replace

from broker import Broker
from colliding import colliding_accounts
from exact import Truth
from expectation import BUCKETS, expect
from group import Group
from harness import compare
from harness.waiting import wait_until
from load import TOPIC, Load, Producer

NAME = "hostile"
PROMISE = "hostile keys: accounts without end, RSS within a cap, the budget's exact; collisions"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"expected \d+ alerts|expected for offset|observed"

_EARLIER_S = 10 * 86_400
_HONEST = 400  # accounts
_FIRST_HONEST = 50_000_001  # those of the flood lie below
_INTERVAL_S = 0.2
_EVENTS_PER_COLLIDING = 40
# How much more time of the processor a load of colliding accounts may take, and what is noise.
_DEARER, _NOISE_S = 3.0, 0.5

_ACCOUNT = re.compile(r'"user_id":(\d+)')


@dataclass(frozen=True)
class Plan:
    flood: int  # accounts
    honest_events: int
    partitions: int
    state_bytes: str  # per partition
    rss_mib: int
    colliding: int  # accounts


SMALL = Plan(120_000, 12_000, 3, "4MiB", 350, 1_000)
FULL = Plan(20_000_000, 400_000, 3, "48MiB", 600, 10_000)


def run(plan, seed):
    return f"{_flood(plan, seed, _EARLIER_S)}; {_collide(plan, seed)}"


def control(plan, seed):
    """A flood that is newer than the honest accounts, which are evicted in its place."""
    return _flood(plan, seed, -_EARLIER_S)


def _flood(plan, seed, earlier_s):
    environment = {"CHAOS_STATE_BYTES": plan.state_bytes, "CHAOS_ROWS_PER_BUCKET": "256"}
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, environment=environment)
        try:
            group.start(1)
            honest = Load(plan.honest_events, _HONEST, seed, ())
            accounts = range(_FIRST_HONEST, _FIRST_HONEST + _HONEST)
            seconds = max(20, plan.flood / 30_000)
            # The oldest key is evicted first: here the flood's, whatever arrives when.
            flood = Load(
                plan.flood,
                plan.flood,
                seed + 1,
                (),
                first_id=1 + plan.honest_events,
                earlier_s=earlier_s,
            )
            producer = Producer(broker, flood, flood.events / seconds)
            pieces = _pieces(_renamed(honest.values(), accounts), int(seconds / _INTERVAL_S))
            highest = _watch(plan, group, producer, pieces)
            group.wait_until_judged(300)
            evicted = group.sum_of("caracal_state_evictions_total")
            assert evicted > 0, "nothing was evicted: the flood was too small to prove anything"
            alerts = _check_honest(broker, group)
            group.stop_members()
        finally:
            group.kill_members()
    return (
        f"{plan.flood:,} accounts, {evicted:,.0f} evicted, RSS at most {highest:.0f} of "
        f"{plan.rss_mib} MiB, {alerts} alerts of {_HONEST} honest accounts exact"
    )


def _pieces(values, count):
    size = -(-len(values) // count)
    return [values[begin : begin + size] for begin in range(0, len(values), size)]


def _watch(plan, group, producer, pieces):
    """Sends the pieces beside what the producer sends; the highest RSS in MiB until all is
    judged."""
    member, highest, to_send = group.members[0], 0.0, iter(pieces)

    def judged():
        nonlocal highest
        highest = max(highest, member.rss_mib())
        assert highest <= plan.rss_mib, f"RSS {highest:.0f} MiB: {member.describe()}"
        if piece := next(to_send, None):
            _send(group, piece)
            return False
        return not producer.running() and group.records_committed() == group.records_in_topic()

    wait_until(judged, group.describe_progress, 3600, interval_s=_INTERVAL_S)
    producer.wait()
    return highest


def _check_honest(broker, group):
    """Asserts the alerts of the honest accounts, on which the flood has no bearing; their number."""
    rulesets = group.rulesets_text()
    expectation = expect(broker, TOPIC, group.partitions, rulesets, first_account=_FIRST_HONEST)
    outcomes = {number: expectation.outcomes(number) for number in range(group.partitions)}
    records = []
    for record in group.read_stable(f"{group.name}.alerts"):
        alert = json.loads(record.value)
        if _is_honest(alert):
            # Says that the bucket has evicted keys before this one came: true, and not of this key.
            alert.pop("state_truncated", None)
            records.append(replace(record, value=json.dumps(alert).encode()))
    assert compare.check_alerts(outcomes, records, group.partitions) == 0
    return len(records)


def _is_honest(alert):
    return int(alert["account"]) >= _FIRST_HONEST


def _collide(plan, seed):
    first = random.Random(seed).randrange(10_000_000, 20_000_000)
    accounts = colliding_accounts(plan.colliding, BUCKETS, first)
    load = Load(2 * _EVENTS_PER_COLLIDING * plan.colliding, plan.colliding, seed, ())
    with Broker() as broker:
        group = Group(broker, f"{NAME}-collisions", 1)
        try:
            group.start(1)
            ordinary_s = _judge(group, load.piece(0, 2).values())
            colliding_s = _judge(group, _renamed(load.piece(1, 2).values(), accounts))
            truth = Truth(broker, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    assert colliding_s <= _DEARER * ordinary_s + _NOISE_S, (
        f"{plan.colliding:,} colliding accounts take {colliding_s:.1f} s of the processor, as many "
        f"others {ordinary_s:.1f} s"
    )
    return (
        f"{plan.colliding:,} colliding accounts in {colliding_s:.1f} s of the processor, as many "
        f"others in {ordinary_s:.1f} s, {truth.expectation.alerts():,} alerts"
    )


def _judge(group, values):
    """Seconds of the processor."""
    begin = group.members[0].cpu_s()
    _send(group, values)
    group.wait_until_judged()
    return group.members[0].cpu_s() - begin


def _send(group, values):
    group.kafka.produce_lines(TOPIC, [(_ACCOUNT.search(value)[1], value) for value in values])


def _renamed(values, accounts):
    """Account n of the load is the n-th of `accounts`."""
    return [_ACCOUNT.sub(lambda n: f'"user_id":{accounts[int(n[1]) - 1]}', v) for v in values]
