"""At least once, members commit as members of the group. They come and go while offsets are
committed: a commit that crosses the group's change would cost its member every partition."""

from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group
from harness.waiting import wait_until
from load import Load, Producer

NAME = "joins"
PROMISE = "at least once: members come and go, no commit costs one its assignment"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"partitions were lost"

_MEMBERS = 3
_LOST = 'caracal_kafka_rebalances_total{type="lost"}'


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    joins: int  # of one member, which leaves again before the next


SMALL = Plan(120_000, 10_000, 6, 6)
FULL = Plan(2_000_000, 80_000, 12, 100)


def run(plan, seed):
    return _run(plan, seed, {})


def control(plan, seed):
    """Nothing is held back while a member joins."""
    return _run(plan, seed, {"CARACAL_FAILPOINTS": "offsets.hold=error"})


def _run(plan, seed, environment):
    # Nobody dies here: a machine that stands still for three seconds must not look like it.
    environment = {"CHAOS_SESSION_TIMEOUT_MS": "30000", **environment}
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, delivery="at_least_once",
                      environment=environment)
        try:
            for _ in range(_MEMBERS):
                group.add_member()
            staying, (guest,) = group.members[:-1], group.members[-1:]
            for member in staying:
                member.start().wait_ready()
            for number in range(plan.joins):
                load = Load(plan.events, plan.accounts, seed).piece(number, plan.joins)
                producer = Producer(broker, load, load.events / 4)
                _visit(group, guest)
                producer.wait()
                _expect_nothing_lost(staying)
            truth = Truth(broker, group)
            repeated = truth.check_at_least_once(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return f"{plan.joins} joins, {truth.records():,} records, {repeated} alerts came again"


def _visit(group, guest):
    """It joins while records flow, takes part, and leaves."""
    before = group.records_committed()
    wait_until(lambda: group.records_committed() > before, group.describe_progress, 60)
    guest.start()
    group.wait_in_group(_MEMBERS)
    guest.wait_ready()
    assert guest.terminate() == 0, guest.describe()
    group.wait_in_group(_MEMBERS - 1)


def _expect_nothing_lost(members):
    for member in members:
        lost = member.metrics()[_LOST]
        assert lost == 0, f"{lost:.0f} partitions were lost: {member.describe()}"
