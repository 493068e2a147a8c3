#!/usr/bin/env python3
"""A comparison with peers is void as soon as one alert differs, whatever it is that differs."""

import copy
import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "bench" / "peers"), str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

import figures  # noqa: E402
import lineup  # noqa: E402
from alert_sets import alert_set, difference  # noqa: E402
from drains import Drain  # noqa: E402

ALERT = {
    "ruleset": "reference-score",
    "score": 90,
    "account": "42",
    "transaction_id": "7",
    "amount": "4500.00",
    "reasons": [{"rule": "velocity", "score": 40}, {"rule": "amount", "score": 50}],
    "source": {"topic": "payments", "partition": 3, "offset": 12},
}
OTHER = {**ALERT, "ruleset": "reference-profile", "score": 100,
         "reasons": [{"rule": "above-profile", "score": 100}]}


def values(*alerts):
    return alert_set(json.dumps(alert).encode() for alert in alerts)


class AlertSetsTest(unittest.TestCase):
    def test_equal_in_any_order_and_with_other_texts_are_equal(self):
        described = {**ALERT, "severity": "high", "event_time": "2026-01-05T09:00:00Z",
                     "reasons": [{**reason, "observed": {}} for reason in ALERT["reasons"][::-1]]}
        self.assertIsNone(difference(values(ALERT, OTHER), values(OTHER, described)))

    def test_a_missing_alert_is_a_difference(self):
        text = difference(values(ALERT, OTHER), values(ALERT))
        self.assertIn("1 missing", text)
        self.assertIn("reference-profile", text)
        self.assertNotIn("not expected", text)

    def test_an_added_alert_is_a_difference(self):
        text = difference(values(ALERT), values(ALERT, OTHER))
        self.assertIn("1 not expected", text)
        self.assertNotIn("missing", text)

    def test_an_alert_that_comes_twice_is_a_difference(self):
        self.assertIn("1 not expected", difference(values(ALERT), values(ALERT, ALERT)))

    def test_every_changed_member_is_a_difference(self):
        changes = [("ruleset", "x"), ("score", 91), ("account", "43"), ("transaction_id", "8"),
                   ("amount", "4500.01"), ("source", {**ALERT["source"], "partition": 4}),
                   ("source", {**ALERT["source"], "offset": 13}),
                   ("reasons", ALERT["reasons"][:1])]
        for name, value in changes:
            with self.subTest(name=name, value=value):
                text = difference(values(ALERT), values({**copy.deepcopy(ALERT), name: value}))
                self.assertIn("1 missing", text)
                self.assertIn("1 not expected", text)


class FiguresTest(unittest.TestCase):
    DRAINS = [
        Drain(lineup.CARACAL, 2.0, 3.0, 1.0, 1024),
        Drain(lineup.DISCARD, 1.0, 1.0, 1.0, 1024),
        Drain(lineup.HONEST, 3.0, 4.0, 1.0, 1024),
        Drain(lineup.DISCARD_HONEST, 1.0, 1.0, 1.0, 1024),
        Drain(lineup.FLINK_EXACTLY_ONCE, 8.0, 12.0, 1.0, 1024, 20.0),
    ]

    def rows(self, void):
        return {row["name"]: row for row in figures.figures(1_000_000, self.DRAINS, void)}

    def test_ratios_are_of_the_same_run_and_above_one_when_caracal_wins(self):
        rows = self.rows({})
        honest = f"Caracal / {lineup.HONEST}"
        self.assertEqual(rows[f"{honest}: events/s"]["values"], [1.5])
        self.assertEqual(rows[f"{honest}: events per CPU-second"]["values"], [4 / 3])
        engine = rows[f"{honest}: events per CPU-second, without reading"]
        self.assertEqual(engine["values"], [1.5])
        self.assertEqual(engine["target"], ">= 1.5")
        cold = rows[f"{lineup.FLINK_EXACTLY_ONCE}: events/s, first drain with the start"]
        self.assertEqual(cold["values"], [50_000])
        self.assertFalse(any(row["void"] for row in rows.values()))

    def test_rows_of_a_peer_with_other_alerts_are_void(self):
        rows = self.rows({lineup.FLINK_EXACTLY_ONCE: "1 missing"})
        void = {name for name, row in rows.items() if row["void"]}
        self.assertEqual(void, {name for name in rows if lineup.FLINK_EXACTLY_ONCE in name})

    def test_every_ratio_is_void_when_caracals_alerts_differ(self):
        rows = self.rows({lineup.CARACAL: "1 missing"})
        self.assertTrue(all(row["void"] for name, row in rows.items() if "Caracal /" in name))


if __name__ == "__main__":
    unittest.main()
