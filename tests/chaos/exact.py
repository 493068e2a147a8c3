"""The verdict "exact"."""

import hashlib
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
        self._alerts = []  # by partition: the digest of the reference's
        for partition in range(group.partitions):
            alerts = _read_alerts(self.reference, partition)
            self._expect_once(self.reference, partition, alerts)
            self._alerts.append(_digest(alerts))
        self._check_dead_letters(self.reference)

    def records(self):
        return self.expectation.records()

    def check(self, group):
        """Asserts that the group is exact. At least one of its members must run.

        Alerts: per partition the same sequence of bytes as the reference's, equal to the oracle's.
        Dead letters: exactly those of the oracle. Committed offsets: the log's end. State: every
        bucket as the reference has it.
        """
        group.wait_until_judged()
        for partition, expected in enumerate(self._alerts):
            alerts = _read_alerts(group, partition)
            if _digest(alerts) != expected:  # those the oracle has judged already
                self._expect_once(group, partition, alerts)
                raise AssertionError(
                    f"{group.name}: the alerts of partition {partition} are not byte for byte those "
                    f"of a fresh replay"
                )
        self._check_dead_letters(group)
        self._check_state(group)

    def check_at_least_once(self, group):
        """As check(), but alerts and dead letters may come more than once. Returns how many alerts
        did."""
        group.wait_until_judged()
        repeated = sum(
            self._check_alerts(group, partition, _read_alerts(group, partition))
            for partition in range(group.partitions)
        )
        self._read_dead_letters(group)
        self._check_state(group)
        return repeated

    def _expect_once(self, group, partition, alerts):
        repeated = self._check_alerts(group, partition, alerts)
        assert repeated == 0, f"{group.name}: {repeated} alerts came twice"

    def _check_alerts(self, group, partition, alerts):
        """Against the oracle; what differs is named. Returns how many came again."""
        expected = {partition: self.expectation.outcomes(partition)}
        return compare.check_alerts(expected, alerts, group.partitions)

    def _check_dead_letters(self, group):
        positions = Counter(
            tuple(record.header(f"__connect.errors.{name}") for name in ("partition", "offset"))
            for record in self._read_dead_letters(group)
        )
        twice = [position for position, count in positions.items() if count > 1]
        assert not twice, f"{group.name}: dead letters came twice: {twice[:5]}"

    def _read_dead_letters(self, group):
        """Those of the group, which are the oracle's, perhaps more than once."""
        outcomes, rejected = self.expectation.dead_letters()
        dead_letters = group.read_stable(f"{group.name}.dead-letters")
        compare.check_dead_letters(outcomes, dead_letters, rejected)
        return dead_letters

    def _check_state(self, group):
        own, reference = settle(group, self.reference)
        compare_state(group, own, reference)
        ends = group.sources_end()
        committed = group.kafka.committed_offsets(group.name, group.topic)
        assert committed == ends, f"{group.name}: committed {committed}, the log ends at {ends}"

    def close(self):
        self.reference.kill_members()


def _read_alerts(group, partition):
    return group.read_stable(f"{group.name}.alerts", partition)


def _digest(alerts):
    """Of key, headers and value of every alert, in the order of the offsets."""
    digest = hashlib.sha256()
    for record in alerts:
        digest.update(repr((record.key, record.headers, record.value)).encode())
    return digest.digest()
