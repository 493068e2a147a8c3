"""A member dies between two chunks of a copy and the state topic is compacted: what is read back is
the copy before, whole."""

from dataclasses import dataclass

import state_topic
from broker import Broker
from exact import Truth
from expectation import BUCKETS
from group import Group
from harness.waiting import wait_until
from load import TOPIC, Load, Producer

NAME = "compaction"
PROMISE = "killed between two chunks of a copy, compaction forced: the copy before is used"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"read back [0-9]+ of [0-9]+ buckets"

_PARTITIONS = 1
_RESTORED = "caracal_snapshot_buckets_restored_total"
# Small segments, cleaned as soon as anything in them can go; what is deleted is soon forgotten.
_EAGER = {
    "cleanup_policy": "compact",
    "segment_ms": 500,
    "min_cleanable_dirty_ratio": 0.001,
    "delete_retention_ms": 100,
}
# The second chunk of the first copy stays away until the member is killed.
_BETWEEN_CHUNKS = "snapshot.chunk=delay:120000@2"


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int  # so many that a bucket needs several chunks
    rounds: int


SMALL = Plan(100_000, 40_000, 1)
FULL = Plan(2_000_000, 40_000, 20)


def run(plan, seed):
    return _run(plan, seed, lambda broker, group, partial: None)


def control(plan, seed):
    """What a writer does that deletes the old copy before the new one is complete."""
    return _run(plan, seed, _delete_older)


def _run(plan, seed, before_compaction):
    with Broker() as broker:
        broker.kafka.create_topic(f"{NAME}.state", _PARTITIONS, **_EAGER)
        group = Group(broker, NAME, _PARTITIONS)
        try:
            member = group.add_member()
            for number in range(2 * plan.rounds):
                load = Load(plan.events, plan.accounts, seed).piece(number, 2 * plan.rounds)
                Producer(broker, load).wait()
                if number % 2 == 0:
                    _judge(group, member)
                else:
                    partial = _die_between_chunks(group, member)
                    before_compaction(broker, group, partial)
                    _compact(broker, group)
                    _expect_restored(group, member)
            truth = Truth(broker, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return f"{plan.rounds} × killed between two chunks, {truth.records():,} records"


def _judge(group, member):
    """Until every bucket has a copy; the member has ended afterwards."""
    member.start().wait_ready()
    group.wait_until_judged()
    wait_until(lambda: len(_complete(group)) == BUCKETS, member.describe, 60)
    assert member.terminate() == 0, member.describe()


def _die_between_chunks(group, member):
    """(bucket, offset) of the copy that stays in pieces."""
    known = set(_chunks(group).values())
    member.start(CARACAL_FAILPOINTS=_BETWEEN_CHUNKS)
    partial = wait_until(
        lambda: set(_chunks(group).values()) - known,
        lambda: f"no piece of a copy has come: {member.describe()}",
        60,
    )
    member.kill()
    assert len(partial) == 1, f"copies in pieces: {partial}"
    return partial.pop()


def _chunks(group):
    return state_topic.chunks(group.broker.direct, f"{group.name}.state")


def _complete(group):
    """The buckets with a complete copy."""
    return state_topic.Copies(group.broker.direct, f"{group.name}.state").complete(since_ms=0)


def _delete_older(broker, group, partial):
    keys = [key for key, (bucket, offset) in _chunks(group).items()
            if bucket == partial[0] and offset < partial[1]]
    assert keys, f"bucket {partial[0]} has no older copy"
    for key in keys:
        broker.kafka.produce(f"{group.name}.state", 0, None, key=key)


def _compact(broker, group):
    """Returns when everything there is now has been through the cleaner."""
    topic = f"{group.name}.state"
    end = broker.kafka.end_offsets(topic)[0]
    checkpoint = broker.stack.directory / "stack" / "kafka" / "cleaner-offset-checkpoint"

    def cleaned():
        # A segment is closed by the first record behind its time.
        broker.kafka.produce(topic, 0, None, key="filler")
        return _cleaned_to(checkpoint, topic) >= end

    wait_until(cleaned, f"{topic} is not compacted up to {end}", 60, interval_s=0.5)


def _cleaned_to(checkpoint, topic):
    if not checkpoint.exists():
        return -1
    entries = (line.split() for line in checkpoint.read_text().splitlines()[2:])
    return max((int(offset) for name, _, offset in entries if name == topic), default=-1)


def _expect_restored(group, member):
    member.start().wait_ready()
    restored = member.metric(_RESTORED)
    assert restored == BUCKETS, f"read back {restored:.0f} of {BUCKETS} buckets"
    group.wait_until_judged()
    assert member.terminate() == 0, member.describe()
    member.start()
