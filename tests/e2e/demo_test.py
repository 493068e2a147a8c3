"""The demo against the oracle: exactly the records a run produced, judged by both.

usage: demo_test.py CARACAL
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import oracle
from harness import compare

CARACAL = sys.argv[1]
SEED = 7
COUNT = 40_000
ALERT_PARTITIONS = 6
RULE_OF_KIND = {"burst": "burst", "big_ticket": "big-ticket", "travel": "impossible-travel"}
ROW_OF_KIND = {"burst": "burst", "big_ticket": "big ticket", "travel": "impossible travel"}
# The demo's load, as options of `caracal generate`.
LOAD = (
    "--accounts 10000 --event-rate 100 --burst-rate 2e-4 --big-ticket-rate 2e-4"
    " --travel-rate 2e-4 --duplicates 0.001 --updates 0.001 --deletes 0.0005 --malformed 0.0005"
).split()


def caracal(*arguments):
    done = subprocess.run(
        [CARACAL, *map(str, arguments)], capture_output=True, timeout=300, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def count_in(text):
    return int(text.replace(",", ""))


class Summary:
    """What the demo says at its end."""

    def __init__(self, text):
        self.planted, self.found = {}, {}
        for kind, row in ROW_OF_KIND.items():
            numbers = re.search(rf"^  {row} .* ([\d,]+) +([\d,]+)$", text, re.MULTILINE)
            self.planted[kind], self.found[kind] = map(count_in, numbers.groups())
        numbers = re.search(r"^  false alerts +0 +([\d,]+)$", text, re.MULTILINE)
        self.false_alerts = count_in(numbers[1])
        self.conservation = [
            count_in(number)
            for number in re.search(
                r"([\d,]+) records = ([\d,]+) judged \+ ([\d,]+) skipped \+ ([\d,]+) dead-lettered\n"
                "  every record has one outcome\n",
                text,
            ).groups()
        ]


class DemoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._directory.cleanup)
        cls.folder = pathlib.Path(cls._directory.name) / "run"
        text = caracal(
            "demo", "--plain", "--seed", SEED, "--count", COUNT, "--rate", 0, "--record", cls.folder
        )
        cls.summary = Summary(text.decode())
        rulesets = caracal("list", "rulesets", "--canonical", "-c", cls.folder / "caracal.yaml")
        cls.outcomes = oracle.judge(
            oracle.parse_records(cls.file("records")), oracle.parse_rulesets(rulesets)
        )
        cls.alerts = oracle.parse_records(cls.file("alerts"))

    @classmethod
    def file(cls, name):
        return (cls.folder / f"{name}.ndjson").read_bytes()

    def crossings(self):
        """{kind: ids of the transactions that were planted to raise it}."""
        planted = {kind: set() for kind in RULE_OF_KIND}
        for line in self.file("labels").splitlines():
            label = json.loads(line)
            if label["kind"] in planted:
                planted[label["kind"]].update(label["crossing"])
        return planted

    def expected_reasons(self):
        """{rule: ids of the transactions it fires on}, by the oracle."""
        reasons = collections.defaultdict(set)
        for own in self.outcomes.values():
            for outcome in own:
                for alert in outcome.alerts:
                    for reason in alert["reasons"]:
                        reasons[reason["rule"]].add(alert["transaction_id"])
        return reasons

    def test_records_and_labels_are_those_of_generate_for_the_same_seed(self):
        records, labels = (self.folder / f"generated-{name}" for name in ("records", "labels"))
        caracal(
            "generate", *LOAD, "--seed", SEED, "--count", COUNT, "--output", records,
            "--output-format", "kcat-json", "--labels", labels,
        )
        self.assertTrue(records.read_bytes() == self.file("records"), "other records")
        self.assertTrue(labels.read_bytes() == self.file("labels"), "other labels")

    def test_the_alerts_topic_holds_what_the_oracle_expects(self):
        compare.check_alerts(self.outcomes, self.alerts, ALERT_PARTITIONS)

    def test_a_missing_alert_is_noticed(self):
        self.assertGreater(len(self.alerts), 10)
        seen = collections.Counter(record.value for record in self.alerts)
        victim = next(record for record in self.alerts if seen[record.value] == 1)
        rest = [record for record in self.alerts if record is not victim]
        with self.assertRaises(AssertionError):
            compare.check_alerts(self.outcomes, rest, ALERT_PARTITIONS)

    def test_the_summary_counts_what_was_planted_and_what_the_oracle_finds(self):
        reasons = self.expected_reasons()
        false_alerts = 0
        for kind, planted in self.crossings().items():
            fired = reasons.pop(RULE_OF_KIND[kind], set())
            self.assertGreater(len(planted), 0, f"{kind}: choose a seed that plants some")
            self.assertEqual(self.summary.planted[kind], len(planted), kind)
            self.assertEqual(self.summary.found[kind], len(planted & fired), kind)
            false_alerts += len(fired - planted)
        self.assertEqual(reasons, {}, "rules the test does not know")
        self.assertEqual(self.summary.false_alerts, false_alerts)

    def test_the_summary_counts_the_outcomes_the_oracle_expects(self):
        counts = compare.count(self.outcomes)
        expected = [counts.get(kind, 0) for kind in ("evaluated", "skipped", "dead_lettered")]
        self.assertTrue(all(expected), f"the load has records of each outcome: {expected}")
        self.assertEqual(self.summary.conservation, [COUNT, *expected])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
