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
        alerts = _read_alerts(self.reference)
        self._check_alerts(self.reference, alerts)
        self._alerts = _by_partition(alerts)
        self._check_dead_letters(self.reference)

    def records(self):
        return self.expectation.records

    def check(self, group):
        """Asserts that the group is exact. At least one of its members must run.

        Alerts: per partition the same sequence of bytes as the reference's, equal to the oracle's.
        Dead letters: exactly those of the oracle. Committed offsets: the log's end. State: every
        bucket as the reference has it.
        """
        group.wait_until_judged()
        alerts = _read_alerts(group)
        if _by_partition(alerts) != self._alerts:  # those the oracle has judged already
            self._check_alerts(group, alerts)
            raise AssertionError(f"{group.name}: alerts are not byte for byte those of a fresh replay")
        self._check_dead_letters(group)
        own, reference = settle(group, self.reference)
        compare_state(group, own, reference)
        self._check_offsets(group)

    def _check_alerts(self, group, alerts):
        """Against the oracle; what differs is named."""
        repeated = compare.check_alerts(self.expectation.outcomes, alerts, group.partitions)
        assert repeated == 0, f"{group.name}: {repeated} alerts came twice"

    def _check_dead_letters(self, group):
        expectation = self.expectation
        dead_letters = group.read_stable(f"{group.name}.dead-letters")
        compare.check_dead_letters(expectation.outcomes, dead_letters, expectation.rejected)
        positions = Counter(
            tuple(record.header(f"__connect.errors.{name}") for name in ("partition", "offset"))
            for record in dead_letters
        )
        twice = [position for position, count in positions.items() if count > 1]
        assert not twice, f"{group.name}: dead letters came twice: {twice[:5]}"

    @staticmethod
    def _check_offsets(group):
        ends = group.sources_end()
        committed = group.kafka.committed_offsets(group.name, group.topic)
        assert committed == ends, f"{group.name}: committed {committed}, the log ends at {ends}"

    def close(self):
        self.reference.kill_members()


def _read_alerts(group):
    return group.read_stable(f"{group.name}.alerts")


def _by_partition(alerts):
    """{partition: [(key, headers, value) of every alert in the order of the offsets]}."""
    values = {}
    for record in alerts:
        values.setdefault(record.partition, []).append((record.key, record.headers, record.value))
    return values
