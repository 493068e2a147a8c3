"""The verdict "exact"."""

from collections import Counter

from expectation import expect
from group import Reference, compare_state, settle
from harness import compare


class Truth:
    """What is to come of the load: what the oracle says, and what one undisturbed member does, which
    must be the same. Made when the load is complete."""

    def __init__(self, broker, group, reference=None, rows_per_bucket=None, **settings):
        """group: gives topic, partitions and rulesets. reference: the undisturbed group, where it
        runs already. rows_per_bucket: see expect(). settings: those of the group's members that
        decide results (environment)."""
        self.expectation = expect(
            broker, group.topic, group.partitions, group.rulesets_text(), rows_per_bucket
        )
        self.reference = reference or Reference(broker, group.partitions, **settings).start(1)
        self.reference.wait_until_judged()
        _check_against_oracle(self.reference, self.expectation)

    def records(self):
        return self.expectation.records

    def check(self, group):
        """Asserts that the group is exact. At least one of its members must run.

        Alerts: per partition the same sequence of bytes as the reference's, equal to the oracle's.
        Dead letters: exactly those of the oracle. Committed offsets: the log's end. State: every
        bucket as the reference has it.
        """
        group.wait_until_judged()
        _check_against_oracle(group, self.expectation)
        _check_bytes(group, self.reference)
        own, reference = settle(group, self.reference)
        compare_state(group, own, reference)
        self._check_offsets(group)

    @staticmethod
    def _check_offsets(group):
        ends = group.sources_end()
        committed = group.kafka.committed_offsets(group.name, group.topic)
        assert committed == ends, f"{group.name}: committed {committed}, the log ends at {ends}"

    def close(self):
        self.reference.kill_members()


def _check_against_oracle(group, expectation):
    alerts = group.read_stable(f"{group.name}.alerts")
    repeated = compare.check_alerts(expectation.outcomes, alerts, group.partitions)
    assert repeated == 0, f"{group.name}: {repeated} alerts came twice"
    dead_letters = group.read_stable(f"{group.name}.dead-letters")
    compare.check_dead_letters(expectation.outcomes, dead_letters, expectation.rejected)
    positions = Counter(
        tuple(record.header(f"__connect.errors.{name}") for name in ("partition", "offset"))
        for record in dead_letters
    )
    twice = [position for position, count in positions.items() if count > 1]
    assert not twice, f"{group.name}: dead letters came twice: {twice[:5]}"


def _check_bytes(group, reference):
    own, others = _by_partition(group), _by_partition(reference)
    for partition in sorted(set(own) | set(others)):
        assert own.get(partition) == others.get(partition), (
            f"{group.name}: alerts of partition {partition} are not byte for byte those of a fresh "
            "replay"
        )


def _by_partition(group):
    """{partition: [value of every alert in the order of the offsets]}."""
    values = {}
    for record in group.read_stable(f"{group.name}.alerts"):
        values.setdefault(record.partition, []).append(record.value)
    return values
