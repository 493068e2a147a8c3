"""A consumer group under test, and the undisturbed one that it must equal."""

import pathlib
import time

import state_topic
from buckets import HASH_SEED
from expectation import BUCKETS
from harness.scenario import Scenario
from harness.waiting import wait_until
from load import TOPIC, produce_tombstones

_CONFIG = pathlib.Path(__file__).resolve().parent / "configs" / "payments.yaml"
# A copy of every bucket is due after so many records (about): often enough that every fault meets
# copies, seldom enough that they are not most of the work.
_MAX_RECOVERY = "20ms"
_FILLERS_PER_ROUND = 700  # and partition
_SETTLE_ROUNDS = 60


class Group(Scenario):
    """Members of one group on the load's topic; they reach Kafka through the proxy.

    first_admin: number of the first admin port (there are six). environment: placeholders of
    configs/payments.yaml.
    """

    def __init__(self, broker, name, partitions, **settings):
        # Event times lie in the past: nothing may be deleted for its age.
        broker.kafka.create_topic(TOPIC, partitions, retention_ms=-1)
        settings = {"bootstrap": broker.disturbed, "max_recovery": _MAX_RECOVERY, **settings}
        settings["kafka"] = broker.kafka
        settings["environment"] = {"CHAOS_HASH_SEED": HASH_SEED, **settings.get("environment", {})}
        super().__init__(broker.stack, name, _CONFIG, TOPIC, partitions, **settings)
        self.broker = broker
        self.copies = state_topic.Copies(broker.direct, f"{name}.state")
        broker.groups.append(self)
        self.delivery = settings.get("delivery", "exactly_once")

    def start(self, members):
        for _ in range(members):
            self.start_member()
        for member in self.members:
            member.wait_ready()
        return self

    def wait_in_group(self, count, timeout_s=60):
        """Until the group is stable with so many members."""
        wait_until(
            lambda: len(self.kafka.group_members(self.name)) == count,
            lambda: f"{len(self.kafka.group_members(self.name))} of {count} members\n"
            f"{self.describe_progress()}",
            timeout_s,
        )

    def revive(self):
        """Starts what has ended."""
        for member in self.members:
            if not member.running():
                member.start()

    def sources_end(self):
        return self.kafka.end_offsets(self.topic)



class Reference(Group):
    """One member, past the proxy, one thread, no faults: a fresh replay of the topic."""

    def __init__(self, broker, partitions, **settings):
        environment = {**settings.pop("environment", {}), "CHAOS_WORKERS": "0"}
        options = {"bootstrap": broker.direct, "first_admin": 5, "environment": environment}
        super().__init__(broker, "reference", partitions, **options, **settings)


def settle(*groups):
    """Until every bucket of every group has been saved as it is now; {bucket: digest} of each group.

    Records that touch no state follow the load, so that copies fall due behind its end: those are
    of equal content wherever they lie.
    """
    first = groups[0]
    ends = first.sources_end()
    since_ms = int(time.time() * 1000)
    wanted = len(ends) * BUCKETS
    found = [{} for _ in groups]
    for _ in range(_SETTLE_ROUNDS):
        produce_tombstones(first.broker, TOPIC, _FILLERS_PER_ROUND * len(ends))
        for group in groups:
            group.wait_until_judged()
        found = [_saved_after(group, ends, since_ms) for group in groups]
        if all(len(own) == wanted for own in found):
            return found
        time.sleep(0.2)  # the copies of the last epochs are on their way
    counts = ", ".join(f"{g.name} {len(own)} of {wanted}" for g, own in zip(groups, found))
    raise AssertionError(f"buckets saved behind the end of the load: {counts}")


def _saved_after(group, ends, since_ms):
    """{(partition, bucket): digest} of the buckets with a copy at the load's end or behind."""
    saved = {}
    for place, by_offset in group.copies.complete(since_ms).items():
        digests = {digest for offset, digest in by_offset.items() if offset >= ends[place[0]]}
        if len(digests) > 1:
            raise state_topic.StateError(
                f"{group.name}: bucket {place} changes behind the end of the load: {digests}"
            )
        if digests:
            saved[place] = digests.pop()
    return saved


def compare_state(group, own, reference):
    """Asserts that two groups have saved the same buckets."""
    wrong = sorted(place for place in reference if own.get(place) != reference[place])
    assert not wrong, (
        f"{group.name}: {len(wrong)} of {len(reference)} buckets differ from a fresh replay, first "
        f"partition {wrong[0][0]} bucket {wrong[0][1]}: {own.get(wrong[0])} instead of "
        f"{reference[wrong[0]]}"
    )
