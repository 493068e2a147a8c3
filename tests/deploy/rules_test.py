#!/usr/bin/env python3
"""The alerts tell their reader what to do, and every one of them has a test.
Exit code 77 (ctest: skipped) without PyYAML."""

import pathlib
import re
import sys
import unittest

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed (./dev test installs it)")
    sys.exit(77)

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "monitoring"


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RULES = [rule for path in sorted(MONITORING.glob("rules/*.yaml"))
         for group in load(path)["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]


class AlertsTest(unittest.TestCase):
    def test_alerts_are_complete(self):
        self.assertTrue(ALERTS)
        for alert in ALERTS:
            name = alert["alert"]
            self.assertTrue(name.startswith("Caracal"), name)
            self.assertIn(alert["labels"]["severity"], ("critical", "warning"), name)
            for annotation in ("summary", "description", "runbook_url"):
                self.assertTrue(alert["annotations"].get(annotation), f"{name}: {annotation}")

    def test_every_alert_has_its_runbook_and_every_runbook_its_alert(self):
        for alert in ALERTS:
            path = f"deploy/monitoring/runbooks/{alert['alert']}.md"
            self.assertEqual(path, alert["annotations"]["runbook_url"])
        runbooks = {path.stem for path in MONITORING.glob("runbooks/*.md")}
        self.assertEqual({alert["alert"] for alert in ALERTS}, runbooks)

    def test_runbooks_say_what_it_means_where_to_look_and_what_to_do(self):
        for path in MONITORING.glob("runbooks/*.md"):
            text = path.read_text(encoding="utf-8")
            self.assertTrue(text.startswith(f"# {path.stem}\n"), path)
            for part in ("**Meaning.**", "**Impact.**", "## Look", "## Mend"):
                self.assertIn(part, text, path)

    def test_every_alert_is_seen_firing_by_a_test(self):
        fired = set()
        for path in MONITORING.glob("tests/*.yaml"):
            for case in load(path)["tests"]:
                for check in case["promql_expr_test"]:
                    for sample in check["exp_samples"]:
                        fired |= set(re.findall(r'alertname="(\w+)"', sample["labels"]))
        self.assertEqual({alert["alert"] for alert in ALERTS}, fired)

    def test_recorded_names_say_level_metric_and_operation(self):
        for rule in RULES:
            if "record" in rule:
                self.assertRegex(rule["record"], r"^[a-z_]+:[a-z_]+:[a-z0-9_]+$")


if __name__ == "__main__":
    unittest.main()
