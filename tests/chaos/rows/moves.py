"""Partitions move: members come and go and are restarted one after the other. After each move every
bucket of state must be that of a member that has never been disturbed."""

from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group, Reference, compare_state, settle
from harness.waiting import wait_until
from load import TOPIC, Load, Producer

NAME = "moves"
PROMISE = "moves (1 to 5 to 1 members, rolling restart), every bucket compared after each"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"buckets differ"

_MEMBERS = 5
_LOST = 'caracal_kafka_rebalances_total{type="lost"}'


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    moves: int


SMALL = Plan(80_000, 10_000, 6, 4)
FULL = Plan(2_500_000, 100_000, 12, 50)


def run(plan, seed):
    return _run(plan, seed, lambda broker, group: None)


def control(plan, seed):
    """Records that a new owner has to replay are deleted: the digests must differ."""
    return _run(plan, seed, _delete_judged)


def _run(plan, seed, before_move):
    with Broker() as broker:
        # Nobody dies here: a machine that stands still for three seconds must not look like it.
        environment = {"CHAOS_SESSION_TIMEOUT_MS": "30000"}
        group = Group(broker, NAME, plan.partitions, environment=environment)
        reference = Reference(broker, plan.partitions)
        try:
            for _ in range(_MEMBERS):
                group.add_member()
            group.members[0].start().wait_ready()
            reference.start(1)
            buckets = 0
            for number in range(plan.moves):
                load = Load(plan.events, plan.accounts, seed).piece(number, plan.moves)
                producer = Producer(broker, load, load.events / 8)
                before_move(broker, group)
                _MOVES[number % len(_MOVES)](group)
                producer.wait()
                _expect_nothing_lost(group)
                own, others = settle(group, reference)
                compare_state(group, own, others)
                buckets += len(others)
            truth = Truth(broker, group, reference)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
            reference.kill_members()
    return f"{plan.moves} moves, {buckets} digests compared, {truth.records():,} records"


def _delete_judged(broker, group):
    """In the middle of the load, so that the copies of most buckets are older."""
    middle = group.records_committed() + 5_000
    wait_until(lambda: group.records_committed() > middle, group.describe_progress, 60)
    broker.kafka.delete_records(TOPIC, group.kafka.committed_offsets(group.name, TOPIC))


def _expect_nothing_lost(group):
    """Every partition has been given up in order: a commit that crosses the group's change would
    have cost its member all of them."""
    for member in group.members:
        lost = member.metrics()[_LOST] if member.running() else 0
        assert lost == 0, f"{lost:.0f} partitions were lost: {member.describe()}"


def _grow(group):
    for member in group.members:
        if not member.running():
            member.start()
    group.wait_in_group(_MEMBERS)


def _shrink(group):
    for member in group.members[1:]:
        assert member.terminate() == 0, member.describe()
    group.wait_in_group(1)


def _roll(group):
    """One after the other, as an upgrade does it; without waiting for the group to settle."""
    for member in group.members:
        if member.running():
            assert member.terminate() == 0, member.describe()
            member.start().wait_ready()


_MOVES = (_grow, _roll, _shrink, _grow)
