#!/usr/bin/env python3
"""A comparison with peers is void as soon as one alert differs, whatever it is that differs; one
under load, as soon as not every record is judged once."""

import copy
import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "bench" / "peers"), str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

import echo  # noqa: E402
import figures  # noqa: E402
import lineup  # noqa: E402
import low_load  # noqa: E402
from alert_sets import alert_set, difference  # noqa: E402
from drains import Drain  # noqa: E402
from loads import Loaded  # noqa: E402

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


def loaded(who, cpu, p999=1.0, judged=1000):
    """A run that has sent 1000 records."""
    latency = {"p50": 1.0, "p99": 1.0, "p99.9": p999}
    return Loaded(who, 100, latency, latency, cpu, cpu, 1.0, 1.0, 50, 1000, judged, 10, 10)


class LowLoadTest(unittest.TestCase):
    def rows(self, *honest):
        runs = [*honest, loaded(lineup.DISCARD_HONEST, 1.0)]
        runs += [loaded(who, cpu) for who, cpu in ((lineup.CARACAL, 9.0),
                                                   (lineup.CARACAL_AT_LEAST_ONCE, 6.0))]
        return {row["name"]: row for row in low_load.figures(runs, 5)}

    def test_ratios_are_of_processor_time(self):
        rows = self.rows(loaded(lineup.HONEST, 4.0))
        for who, value, target in ((lineup.CARACAL, 2.25, "<= 2.0"),
                                   (lineup.CARACAL_AT_LEAST_ONCE, 1.5, "<= 1.3")):
            ratio = rows[f"{who} / {lineup.HONEST}: CPU"]
            self.assertEqual((ratio["values"], ratio["target"]), ([value], target))
        self.assertEqual(rows[f"{lineup.HONEST}: wake-ups"]["values"], [10])
        self.assertFalse(any(row["void"] for row in rows.values()))

    def test_one_record_too_few_or_too_many_makes_rows_and_ratios_void(self):
        for judged in (999, 1001):
            with self.subTest(judged=judged):
                rows = self.rows(loaded(lineup.HONEST, 4.0, judged=judged))
                void = {name for name, row in rows.items() if row["void"]}
                self.assertEqual(void, {name for name in rows if lineup.HONEST in name
                                        and lineup.DISCARD_HONEST not in name})


class EchoTest(unittest.TestCase):
    def test_the_highest_rate_is_found_from_below_and_from_above(self):
        for limit in (1_500, 19_999, 20_000, 21_000, 160_000, 700_000):
            with self.subTest(limit=limit):
                tried = []

                def sustains(rate, limit=limit, tried=tried):
                    tried.append(rate)
                    return rate <= limit

                found = echo.highest_rate(sustains, 20_000)
                self.assertLessEqual(found, limit)
                self.assertGreater(found, limit * 0.88)
                self.assertEqual(len(tried), len(set(tried)))

    def test_a_machine_that_sustains_nothing_has_no_highest_rate(self):
        self.assertIsNone(echo.highest_rate(lambda _: False, 20_000))

    def test_a_machine_that_sustains_everything_has_the_highest_that_was_tried(self):
        self.assertEqual(echo.highest_rate(lambda _: True, 20_000, (1_000, 50_000)), 45_000)

    def test_the_ratio_at_half_has_a_limit_and_is_void_with_either(self):
        def rows(judged):
            runs = {("exactly_once", share, who): [loaded(who, 1.0, p999, judged)]
                    for share in echo.SHARES for who, p999 in ((echo.OURS, 6.0), (echo.ECHO, 4.0))}
            return {row["name"]: row for row in echo.figures({"exactly_once": 1000}, runs)}

        half, most = (f"exactly_once, {share}: Caracal / echo, p99.9" for share in ("50%", "90%"))
        self.assertEqual(rows(1000)[half]["values"], [1.5])
        self.assertEqual((rows(1000)[half]["target"], rows(1000)[most]["target"]), ("<= 2", ""))
        self.assertFalse(rows(1000)[half]["void"])
        self.assertTrue(rows(999)[half]["void"])


if __name__ == "__main__":
    unittest.main()
