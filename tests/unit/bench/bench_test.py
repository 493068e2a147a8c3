#!/usr/bin/env python3
"""What the benchmarks make of what they have measured: verdicts and tables, the end of a drain, and
whether its runs have raised the same alerts."""

import pathlib
import struct
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

import commit_log  # noqa: E402
import drain_bench  # noqa: E402
import run  # noqa: E402
import table  # noqa: E402
from oracle.records import Record  # noqa: E402
from table import Figure  # noqa: E402


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def commit(partition, offset, time_ms, group="bench", topic="payments", version=1):
    """The record a broker writes of a committed offset."""
    key = struct.pack(">h", version) + text(group) + text(topic) + struct.pack(">i", partition)
    value = struct.pack(">hqi", 3, offset, -1) + text("metadata") + struct.pack(">q", time_ms)
    return Record(commit_log.TOPIC, 0, 0, time_ms, key, value)


class TableTest(unittest.TestCase):
    def test_what_is_not_reached_is_missed(self):
        self.assertEqual("met", Figure("f", "ratio", [0.1, 2, 0.2], "<= 0.667").verdict())
        self.assertEqual("missed", Figure("f", "ratio", [0.7], "<= 0.667").verdict())
        self.assertEqual("missed", Figure("f", "ratio", [0.6], ">= 0.667").verdict())
        self.assertEqual("", Figure("f", "ratio", [0.7]).verdict())
        self.assertEqual("VOID", Figure("f", "ratio", [0.7], "<= 0.667", void=True).verdict())

    def test_one_table_has_the_rows_of_all_benchmarks_in_their_order(self):
        lines = table.text_of_all({"drain": [Figure("a", "s", [1]), Figure("b", "s", [2])],
                                   "echo": [Figure("a", "s", [3], "<= 2")]}).splitlines()
        self.assertEqual(["all", "drain:", "drain:", "echo:"], [line.split()[0] for line in lines])
        self.assertIn("missed", lines[3])

    def test_benchmarks_are_told_apart_by_their_own_targets(self):
        self.assertEqual(["<= 0.667", "<= 0.667", "<= 0.25", ""], list(run.DECODE_TARGETS.values()))


class CommitLogTest(unittest.TestCase):
    ENDS = {0: 10, 1: 20, 2: 0}

    def reached(self, *records):
        return commit_log.reached_ms(records, "bench", "payments", self.ENDS)

    def test_the_end_is_when_the_last_partition_got_there_first(self):
        self.assertEqual(1500, self.reached(
            commit(0, 9, 1000), commit(0, 10, 1100), commit(1, 20, 1500), commit(0, 10, 1900),
            commit(1, 20, 2000)))

    def test_a_partition_that_lags_has_not_reached_its_end(self):
        self.assertIsNone(self.reached(commit(0, 10, 1100), commit(1, 19, 1500)))

    def test_other_groups_topics_and_keys_do_not_count(self):
        self.assertIsNone(self.reached(
            commit(0, 10, 1100), commit(1, 20, 1500, group="other"),
            commit(1, 20, 1500, topic="other"), commit(1, 20, 1500, version=2),
            Record(commit_log.TOPIC, 0, 0, 1500, commit(1, 20, 1500).key, None)))

    def test_groups_are_where_kafka_keeps_them(self):
        # Of java.lang.String.hashCode: 96354 and -1424385949.
        self.assertEqual(96354 % 50, commit_log.partition_of("abc", 50))
        self.assertEqual(1424385949 % 50, commit_log.partition_of("abcdef", 50))


class DrainAlertsTest(unittest.TestCase):
    ALERTS = [b"one", b"two", b"three"]

    def disagreement(self, *alerts, delivery):
        expected = drain_bench.digest_of_alerts(self.ALERTS, "exactly_once")
        actual = drain_bench.digest_of_alerts(list(alerts), delivery)
        return drain_bench.disagreement({"first": expected, "second": actual})

    def test_equal_alerts_in_any_order_agree(self):
        self.assertEqual("", self.disagreement(*self.ALERTS[::-1], delivery="exactly_once"))

    def test_a_doubled_alert_voids_exactly_once_only(self):
        doubled = [*self.ALERTS, b"two"]
        self.assertIn("second: 4", self.disagreement(*doubled, delivery="exactly_once"))
        self.assertEqual("", self.disagreement(*doubled, delivery="at_least_once"))

    def test_a_missing_or_another_alert_voids_both(self):
        for delivery in ("exactly_once", "at_least_once"):
            self.assertTrue(self.disagreement(b"one", b"two", delivery=delivery))
            self.assertTrue(self.disagreement(b"one", b"two", b"four", delivery=delivery))


if __name__ == "__main__":
    unittest.main()
