import hashlib
import unittest

import golden_decisions
from oracle.model import Undecidable
from oracle.partition import PartitionOracle
from oracle_tests.cases import (
    EVERY_OPERATION,
    alerting_offsets,
    alerts_of,
    envelope,
    outcomes_of,
    record,
    reference_rulesets,
    row,
    rule,
    ruleset,
)

BIG = rule("big", "amount", above="100.00", score=50)
COUNT = rule("count", "velocity", window="1m", max_count=1, score=30)


class GoldenTest(unittest.TestCase):
    def test_reference_rulesets_decide_as_worked_out_by_hand(self):
        payments = golden_decisions.PAYMENTS
        rows = [row(i, p.account, p.micros, p.amount) for i, p in enumerate(payments)]
        actual = {(o, name) for o, name, _ in alerts_of(rows, *reference_rulesets())}
        expected = {(i, name) for i, p in enumerate(payments) for name in p.alerts}
        self.assertEqual(actual, expected)
        self.assertGreater(len(expected), 6)


class OperationTest(unittest.TestCase):
    RULES = ruleset(COUNT)

    def test_snapshot_rows_warm_without_an_alert(self):
        values = [envelope(row(1), "r"), envelope(row(2), "r"), envelope(row(3), "c")]
        outcomes = outcomes_of(values, self.RULES)
        self.assertEqual([each.kind for each in outcomes], ["warmed", "warmed", "evaluated"])
        self.assertEqual([len(each.alerts) for each in outcomes], [0, 0, 1])

    def test_skipped_operations_leave_no_trace(self):
        values = [envelope(row(1), "u"), envelope(row(2), "d"), envelope(row(3))]
        self.assertEqual([len(each.alerts) for each in outcomes_of(values, self.RULES)], [0, 0, 0])

    def test_updates_count_where_the_configuration_says_so(self):
        rules = ruleset(COUNT, ops=EVERY_OPERATION)
        values = [envelope(row(1)), envelope(row(1), "u")]
        self.assertEqual([len(each.alerts) for each in outcomes_of(values, rules)], [0, 1])

    def test_history_before_alert_from_warms(self):
        rows = [row(i, amount="200") for i in range(3)]
        self.assertEqual(alerting_offsets(rows, ruleset(BIG), alert_from=2), [2])


class ActivationTest(unittest.TestCase):
    """COUNT raises on the second event of a minute."""

    def offsets(self, rulesets, activated, values=6):
        rows = [row(i, micros=i * 1_000_000) for i in range(values)]
        return alerting_offsets(rows, *rulesets, activations={0: [(3, activated)]})

    def test_an_unchanged_rule_keeps_its_window(self):
        before, after = ruleset(COUNT), ruleset(COUNT, BIG)
        self.assertEqual(self.offsets([before], [after]), [1, 2, 3, 4, 5])

    def test_a_rule_with_another_window_begins_empty(self):
        other = {**COUNT, "parameters": {"window": "2m", "max_count": 1}}
        self.assertEqual(self.offsets([ruleset(COUNT)], [ruleset(other)]), [1, 2, 4, 5])

    def test_a_new_limit_judges_the_old_window(self):
        rules = [
            rule("count", "velocity", window="1m", max_count=limit, capacity=9) for limit in (1, 3)
        ]
        self.assertEqual(self.offsets([ruleset(rules[0])], [ruleset(rules[1])]), [1, 2, 3, 4, 5])

    def test_a_rule_of_another_ruleset_is_another_rule(self):
        renamed = ruleset(COUNT, name="renamed")
        self.assertEqual(self.offsets([ruleset(COUNT)], [renamed]), [1, 2, 4, 5])

    def test_rows_seen_before_are_duplicates_afterwards(self):
        values = [envelope(row(1)), envelope(row(2)), envelope(row(1))]
        outcomes = outcomes_of(
            values, ruleset(COUNT), activations={0: [(2, [ruleset(BIG)])]}
        )
        self.assertEqual(outcomes[2].reason, "duplicate")


class DuplicateTest(unittest.TestCase):
    def kinds(self, values, **options):
        outcomes = outcomes_of(values, ruleset(BIG, rows_per_bucket=8), **options)
        return [each.reason or each.kind for each in outcomes]

    def test_a_row_delivered_again_is_skipped(self):
        values = [envelope(row(1)), envelope(row(1)), envelope(row(2))]
        self.assertEqual(self.kinds(values), ["evaluated", "duplicate", "evaluated"])

    def test_inserted_and_snapshot_rows_are_one(self):
        values = [envelope(row(1), "r"), envelope(row(1), "c")]
        self.assertEqual(self.kinds(values), ["warmed", "duplicate"])

    def test_a_rejected_row_is_not_remembered(self):
        values = [envelope(row(1, amount="x")), envelope(row(1))]
        self.assertEqual(self.kinds(values), ["invalid_amount", "evaluated"])

    def test_another_table_has_other_rows(self):
        other = envelope(row(1))
        other["source"] = {**other["source"], "table": "others"}
        self.assertEqual(self.kinds([envelope(row(1)), other]), ["evaluated", "evaluated"])

    def test_rows_are_forgotten_only_by_bucket(self):
        many = [envelope(row(i)) for i in range(9)] + [envelope(row(0))]
        with self.assertRaises(Undecidable):
            self.kinds(many)
        self.assertEqual(self.kinds(many, bucket_of=lambda key: 0)[-1], "evaluated")
        known = [*many[1:-1], many[1]]
        self.assertEqual(self.kinds(known, bucket_of=lambda key: 0)[-1], "duplicate")


class ScoreTest(unittest.TestCase):
    def test_scores_add_up_and_must_exceed(self):
        rows = [row(1, amount="200"), row(2, amount="200")]
        self.assertEqual(alerting_offsets(rows, ruleset(BIG, COUNT, alert_above=79)), [1])
        self.assertEqual(alerting_offsets(rows, ruleset(BIG, COUNT, alert_above=80)), [])

    def test_shadow_and_off_rules_add_nothing(self):
        rows = [row(1, amount="200")]
        for mode in ("shadow", "off"):
            silent = {**BIG, "mode": mode, "score": 1000}
            self.assertEqual(alerting_offsets(rows, ruleset(silent)), [])
            both = ruleset(silent, {**BIG, "id": "other"})
            (alert,) = outcomes_of([envelope(rows[0])], both)[0].alerts
            self.assertEqual([each["rule"] for each in alert["reasons"]], ["other"])
            self.assertEqual(alert["score"], 50)

    def test_rulesets_off_raise_nothing_and_shadow_ones_say_so(self):
        self.assertEqual(alerting_offsets([row(amount="200")], ruleset(BIG, mode="off")), [])
        values = [envelope(row(amount="200"))]
        (alert,) = outcomes_of(values, ruleset(BIG, mode="shadow"))[0].alerts
        self.assertEqual(alert["mode"], "shadow")


class AlertTest(unittest.TestCase):
    def test_the_whole_alert(self):
        rules = ruleset(
            {**COUNT, "severity": "low", "version": 2},
            {**BIG, "severity": "high"},
            name="card-risk",
            alert_above=70,
        )
        oracle = PartitionOracle([rules])
        oracle.take(record(envelope(row(88_120, 1042)), 99_171, 3))
        payment = row(88_121, 1042, 512_000, "4720.15")
        (alert,) = oracle.take(record(envelope(payment), 99_172, 3)).alerts
        identity = f"card-risk\n{rules.version}\nt\n3\n99172"
        expected = {
            "alert_id": hashlib.sha256(identity.encode()).hexdigest()[:32],
            "schema_version": 1,
            "ruleset": "card-risk",
            "ruleset_version": rules.version,
            "severity": "high",
            "mode": "enforce",
            "score": 80,
            "alert_above": 70,
            "account": "1042",
            "transaction_id": "88121",
            "amount": "4720.15",
            "currency": "EUR",
            "event_time": "2023-11-14T22:13:20.512000Z",
            "reasons": [
                {
                    "rule": "count",
                    "version": 2,
                    "agent": "velocity",
                    "reason": "count_exceeded",
                    "score": 30,
                    "observed": {"count": 2, "window_s": 60},
                    "limit": {"max_count": 1},
                },
                {
                    "rule": "big",
                    "agent": "amount",
                    "reason": "above_limit",
                    "score": 50,
                    "observed": {"amount": "4720.15"},
                    "limit": {"above": "100.00"},
                },
            ],
            "source": {"topic": "t", "partition": 3, "offset": 99_172},
        }
        self.assertEqual(alert, expected)

    def test_a_replaced_time_is_named(self):
        values = [envelope(row(amount="200", created_at=None))]
        (alert,) = outcomes_of(values, ruleset(BIG))[0].alerts
        self.assertEqual(alert["time_source"], "source_commit")
        self.assertEqual(alert["event_time"], "2024-02-12T22:13:20.000000Z")
        ahead = row(amount="200", micros=91 * 86_400 * 1_000_000)
        (alert,) = outcomes_of([ahead], ruleset(BIG))[0].alerts
        self.assertEqual(alert["time_source"], "record")

    def test_the_version_is_the_hash_of_the_canonical_text(self):
        self.assertNotEqual(ruleset(BIG).version, ruleset(COUNT).version)
        self.assertEqual(ruleset(BIG).version, ruleset(BIG).version)
        self.assertRegex(ruleset(BIG).version, "^[0-9a-f]{12}$")


if __name__ == "__main__":
    unittest.main()
