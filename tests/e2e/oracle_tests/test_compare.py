import json
import unittest
from decimal import Decimal

import oracle
from harness import compare
from oracle.model import Near
from oracle_tests.cases import envelope, record, row, rule, ruleset

RULES = ruleset(rule("big", "amount", above="100.00"))


def judged(amounts):
    values = [envelope(row(i, amount=amount)) for i, amount in enumerate(amounts)]
    sources = [record(value, offset) for offset, value in enumerate(values)]
    return sources, oracle.judge(sources, [RULES])


def alert_records(alerts):
    headers = (("content-type", "application/json"), ("caracal-ruleset", "test"))
    return [
        oracle.Record("a", 0, i, 0, alert["account"].encode(), json.dumps(alert).encode(), headers)
        for i, alert in enumerate(alerts)
    ]


class CompareTest(unittest.TestCase):
    def setUp(self):
        self.sources, self.outcomes = judged(["200", "10", "300", "x"])
        self.alerts = [alert for each in self.outcomes[0] for alert in each.alerts]

    def check(self, alerts):
        return compare.check_alerts(self.outcomes, alert_records(alerts), 1)

    def test_equal_alerts_pass_and_repeated_ones_are_counted(self):
        first, second = self.alerts
        self.assertEqual(self.check([first, second]), 0)
        self.assertEqual(self.check([first, second, first, second]), 2)

    def test_the_first_difference_is_named(self):
        first, second = self.alerts
        for actual, message in {
            (0,): "expected 2 alerts, got 1; first missing one",
            (1, 0): "alert 0 .expected for offset 0.: account|alert 0 .*alert_id",
        }.items():
            with self.assertRaisesRegex(AssertionError, message):
                self.check([self.alerts[i] for i in actual])
        reasons = [{**second["reasons"][0], "observed": {"amount": "300.01"}}]
        changed = {**second, "reasons": reasons}
        wanted = r'alert 1 .*reasons\[0\].observed.amount: expected "300.00", got "300.01"'
        with self.assertRaisesRegex(AssertionError, wanted):
            self.check([first, changed])
        with self.assertRaisesRegex(AssertionError, "repeats an alert_id with other bytes"):
            self.check([first, {**first, "score": 7}])
        with self.assertRaisesRegex(AssertionError, "schema: not expected"):
            self.check([{**first, "schema": 1}, second])

    def test_numbers_near_enough_are_equal(self):
        near = {"z": Near(Decimal("3.14159"), Decimal("0.001"))}
        self.assertIsNone(compare.describe_difference(near, {"z": 3.142}))
        self.assertIn("3.14159 ± 0.001", compare.describe_difference(near, {"z": 3.144}))
        self.assertIsNotNone(compare.describe_difference(near, {"z": None}))
        self.assertIsNotNone(compare.describe_difference({"n": 1}, {"n": True}))

    def test_dead_letters_must_be_the_original_bytes(self):
        source = self.sources[3]
        headers = [("__connect.errors.topic", "t"), ("__connect.errors.partition", "0")]
        headers += [("__connect.errors.offset", "3"), ("caracal-reason", "invalid_amount")]

        def check(value, reason_headers):
            letter = oracle.Record("d", 0, 0, 0, source.key, value, tuple(reason_headers))
            compare.check_dead_letters(self.outcomes, [letter], self.sources)

        check(source.value, headers)
        with self.assertRaisesRegex(AssertionError, "value changed"):
            check(b"{}", headers)
        with self.assertRaisesRegex(AssertionError, "expected dead letter invalid_amount, got"):
            check(source.value, [*headers, ("caracal-reason", "missing_field")])
        with self.assertRaisesRegex(AssertionError, "dead letter invalid_amount, got None"):
            compare.check_dead_letters(self.outcomes, [], self.sources)

    def test_counts(self):
        self.assertEqual(
            compare.count(self.outcomes),
            {"evaluated": 3, "dead_lettered": 1, "dead_lettered{invalid_amount}": 1},
        )


if __name__ == "__main__":
    unittest.main()
