"""Offsets and records that are gone: the engine says so and stops, or goes on exactly; it never
starts somewhere else in silence."""

from dataclasses import dataclass

from broker import Broker
from exact import Truth
from group import Group
from harness.waiting import wait_until
from load import Load, Producer, produce_tombstones
from proxy import Api
from proxy.offsets import without_offsets

NAME = "offsets"
PROMISE = "offsets deleted, records deleted below the snapshot, coordinator answering none once"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"came twice"


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    rounds: int


SMALL = Plan(24_000, 3_000, 3, 1)
FULL = Plan(1_200_000, 3_000, 3, 50)


def run(plan, seed):
    with Broker() as broker:
        for number in range(plan.rounds):
            _none_once(plan, seed, broker, number)
            _offsets_deleted(plan, broker, f"saved-{number}")
            _offsets_deleted(plan, broker, f"unsaved-{number}", max_recovery="1h")
        for number in range(plan.rounds):  # last: these delete from the topic that all read
            _records_deleted(plan, broker, number)
    return f"{plan.rounds} × coordinator answers none, offsets deleted, records deleted"


def control(plan, seed):
    """The state topic is deleted along with the offsets: nothing tells the engine that it is not
    new, it starts at the beginning, and that must be seen as alerts that come twice."""
    with Broker() as broker:
        group = Group(broker, f"{NAME}-control", plan.partitions)
        try:
            _judge_piece(plan, seed, broker, group, 0)
            broker.kafka.delete_group(group.name)
            state = f"{group.name}.state"
            broker.kafka.delete_topic(state)
            broker.kafka.create_topic(state, plan.partitions, cleanup_policy="compact")
            group.revive()
            truth = Truth(broker, group)
            try:
                truth.check(group)
            finally:
                truth.close()
        finally:
            group.kill_members()
    return "offsets and state deleted"


def _judge_piece(plan, seed, broker, group, number):
    """One piece of the load, judged; the member has ended afterwards."""
    load = Load(plan.events, plan.accounts, seed).piece(number, plan.rounds)
    Producer(broker, load).wait()
    if group.members:
        group.revive()
    else:
        group.start(1)
    group.wait_until_judged()
    group.stop_members()


def _none_once(plan, seed, broker, number):
    """The next answer to a member that starts knows of no offsets; nothing may be judged twice."""
    group = Group(broker, f"{NAME}-none-{number}", plan.partitions)
    try:
        _judge_piece(plan, seed, broker, group, number)
        broker.proxy.intercept(
            Api.OFFSET_FETCH,
            lambda exchange: exchange.forward_and_change_reply(
                lambda frame: without_offsets(exchange.request, frame)
            ),
            times=1,
        )
        group.revive()
        truth = Truth(broker, group)
        try:
            truth.check(group)
        finally:
            truth.close()
        group.stop_members()
    finally:
        group.kill_members()


def _offsets_deleted(plan, broker, name, **settings):
    """The group is gone and its state topic is not: the engine must refuse, even where no copy of
    state has been saved yet."""
    group = Group(broker, f"{NAME}-deleted-{name}", plan.partitions, **settings)
    try:
        group.start(1)
        group.wait_until_judged()
        _end(group)
        alerts = group.kafka.end_offsets(f"{group.name}.alerts")
        broker.kafka.delete_group(group.name)
        _refuses(group, "offset")
        assert group.kafka.end_offsets(f"{group.name}.alerts") == alerts, "it has written alerts"
    finally:
        group.kill_members()


def _records_deleted(plan, broker, number):
    """Records below the oldest copies are gone: a member that needs them says so. Records that
    nobody has judged are gone: it refuses."""
    group = Group(broker, f"{NAME}-retention-{number}", plan.partitions)
    try:
        group.start(1)
        group.wait_until_judged()
        _end(group)
        committed = group.kafka.committed_offsets(group.name, group.topic)
        broker.kafka.delete_records(group.topic, committed)
        _says_gap_or_refuses(group)
        group.kill_members()
        produce_tombstones(broker, group.topic, 200 * plan.partitions)
        broker.kafka.delete_records(group.topic, group.sources_end())
        _refuses(group, "expired")
    finally:
        group.kill_members()


def _end(group):
    """Killed: a member that stops in order copies its state first, and nothing would be missing."""
    group.kill_members()
    wait_until(
        lambda: not group.kafka.group_members(group.name), "the group keeps a member that is dead"
    )


def _refuses(group, word):
    """The member ends by itself, with a sentence that holds the word."""
    member = group.members[0]
    member.start()
    code = member.wait_end()
    assert code > 0, f"exit code {code}: {member.describe()}"
    assert word in member.describe(), f"no sentence about '{word}': {member.describe()}"


def _says_gap_or_refuses(group):
    """State that cannot be rebuilt is never taken for whole in silence."""
    member = group.members[0]
    member.start()
    wait_until(
        lambda: not member.running() or member.log_lines("state gap"),
        lambda: f"no word about the records that are gone: {member.describe()}",
        60,
    )
    assert member.running() or member.exit_code() > 0, member.describe()
