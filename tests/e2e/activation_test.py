"""Members are started again with other rules. The change takes effect at the group's committed
offsets: every alert before is of the old rules, every one after of the new ones, rules that did not
change go on with the very windows they had, and the others begin empty there."""

import json
import os
import random
import unittest

import oracle
from harness import compare, rows, suite
from harness.scenario import Scenario
from harness.stack import Stack
from harness.waiting import wait_until

STACK = Stack()
SEED = int(os.environ.get("CARACAL_E2E_SEED", random.randrange(1 << 32)))
PARTITIONS = 6
PAYMENTS_PER_RUN = 4_000


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.start("kafka")


class ActivationTest(unittest.TestCase):
    def test_rules_change_at_the_committed_offsets(self):
        self._change_rules("changed", max_recovery="10s", min_restored=0)

    def test_offsets_set_back_judge_again(self):
        print(f"CARACAL_E2E_SEED={SEED}")
        scenario = self._scenario("rewound", max_recovery="5ms")
        self._send(scenario, 0)
        scenario.start_member()
        scenario.wait_until_judged()
        with self.assertRaisesRegex(AssertionError, "exits 1: .*has 1 members"):
            scenario.command("offsets", "set", "--to", "200")
        self._await_saved_buckets(scenario)
        scenario.stop_members()
        once = scenario.check()

        before = self._offsets(scenario)
        self.assertIn(b"nothing was set", scenario.command("offsets", "set", "--to", "200", "--dry-run"))
        self.assertEqual(self._offsets(scenario), before)
        scenario.command("offsets", "set", "--to", "200")
        rewound = self._offsets(scenario)
        self.assertEqual({row["committed_offset"] for row in rewound}, {200})
        self.assertEqual(
            [row["metadata"]["activations"] for row in rewound],
            [row["metadata"]["activations"] for row in before],
        )

        scenario.members[0].start()
        scenario.wait_until_judged()
        self.assertGreater(scenario.sum_of("caracal_snapshot_buckets_discarded_total"), 40)
        scenario.stop_members()
        again = {
            alert["alert_id"]
            for own in once.values()
            for outcome in own
            for alert in outcome.alerts
            if outcome.offset >= 200
        }
        # The same alerts with the same bytes: the state was rebuilt from what lies below.
        self.assertEqual(scenario.count_repeated(once), len(again))

    @staticmethod
    def _await_saved_buckets(scenario):
        def saved():
            return scenario.sum_of("caracal_snapshot_buckets_saved_total")

        wait_until(lambda: saved() > 40, lambda: f"{saved():.0f} buckets saved")

    @staticmethod
    def _offsets(scenario):
        return json.loads(scenario.command("offsets", "show", "--format", "json"))

    def test_state_of_unchanged_rules_is_carried_over_from_copies(self):
        # So short that buckets are saved all the time: most of them lie in the state topic.
        self._change_rules("carried", max_recovery="5ms", min_restored=30)

    def _change_rules(self, name, max_recovery, min_restored):
        """Three runs: drained, killed with work to do, drained. Two changes of rules. The last run
        must read `min_restored` buckets back, not only the log."""
        print(f"CARACAL_E2E_SEED={SEED}")
        scenario = self._scenario(name, max_recovery)
        self._send(scenario, 0)
        for _ in range(2):
            scenario.start_member()
        scenario.wait_until_judged()
        if min_restored:
            self._await_saved_buckets(scenario)
        scenario.stop_members()

        first = scenario.change_rules("cards-changed")
        for member in scenario.members:
            member.start()
        self._await_activations(scenario, first)
        self._send(scenario, 1)
        wait_until(
            lambda: all(
                offset > first[partition]
                for partition, offset in scenario.committed_offsets().items()
            ),
            scenario.describe_progress,
            interval_s=0.01,
        )
        for member in scenario.members:
            member.kill()
        self._wait_for_transactions(scenario)

        second = scenario.change_rules("cards")
        for member in scenario.members:
            member.start()
        self._send(scenario, 2)
        scenario.wait_until_judged()
        self._await_activations(scenario, second)

        outcomes = scenario.check()
        self._assert_windows_mattered(scenario, outcomes)
        self.assertEqual(scenario.sum_of("caracal_rule_conflicts_total"), 0)
        restored = scenario.sum_of("caracal_snapshot_buckets_restored_total")
        replayed = scenario.sum_of("caracal_records_replayed_total")
        print(f"{restored:.0f} buckets read back, {replayed:.0f} records replayed")
        self.assertGreaterEqual(restored, min_restored)
        scenario.stop_members()
        self._assert_rules_are_found(scenario, outcomes)

    def _scenario(self, name, max_recovery):
        """Its topics and its payments; nothing is sent or started yet."""
        rng = random.Random(SEED)
        accounts = list(range(1, 301))
        self.payments = rows.random_card_payments(
            rng, 3 * PAYMENTS_PER_RUN, 1, accounts, rows.hours_ago(30), 10**11
        )
        topic = f"{name}.payments"
        scenario = Scenario(STACK, name, "cards.yaml", topic, PARTITIONS, max_recovery=max_recovery)
        self.addCleanup(scenario.kill_members)
        scenario.kafka.create_topic(topic, PARTITIONS)
        return scenario

    def _send(self, scenario, run):
        first = run * PAYMENTS_PER_RUN
        batch = self.payments[first : first + PAYMENTS_PER_RUN]
        records = [(str(row["user_id"]), _envelope(row)) for row in batch]
        scenario.kafka.produce_lines(scenario.topic, records)
        scenario.wait_for_records(first + len(batch))

    def _await_activations(self, scenario, offsets):
        """Until /status says of every partition from where on its rules are in effect."""

        def since():
            return {
                partition["partition"]: partition.get("rules_since")
                for member in scenario.members
                for partition in member.status()["partitions"]
            }

        wait_until(lambda: since() == offsets, lambda: f"{since()} instead of {offsets}")

    def _wait_for_transactions(self, scenario):
        """Until what the killed members had begun has ended: it decides the committed offsets."""
        alerts = f"{scenario.name}.alerts"
        wait_until(
            lambda: scenario.kafka.end_offsets(alerts)
            == scenario.kafka.end_offsets(alerts, stable=True),
            "a transaction stays open",
            60,
        )

    def _assert_windows_mattered(self, scenario, outcomes):
        """Had every rule begun empty, other alerts would have been raised: a control."""
        sources = scenario.kafka.read(scenario.topic)
        empty = scenario.expect(sources, keep_states=False)
        self.assertNotEqual(
            compare.expected_alert_ids(outcomes), compare.expected_alert_ids(empty)
        )

    def _assert_rules_are_found(self, scenario, outcomes):
        """The version in an alert leads to the text that raised it, whatever the file says now."""
        alerts = [alert for own in outcomes.values() for each in own for alert in each.alerts]
        versions = {alert["ruleset_version"] for alert in alerts}
        self.assertGreaterEqual(len(versions), 5)
        listed = scenario.command("list", "rulesets", "--recorded").decode()
        for version in versions:
            self.assertIn(version, listed)
            text = scenario.command("list", "rulesets", "--show", version)
            self.assertEqual(oracle.parse_rulesets(text)[0].version, version)


def _envelope(row):
    """The row as Debezium's envelope, without a schema."""
    after = {name: str(value) if name == "amount" else value for name, value in row.items()}
    after["created_at"] = row["created_at"].replace(" ", "T") + "Z"
    for name in ("latitude", "longitude"):
        if row[name] is not None:
            after[name] = float(row[name])
    source = {"db": "d", "schema": "public", "table": "card_transactions"}
    return json.dumps({"before": None, "after": after, "source": source, "op": "c"})


if __name__ == "__main__":
    suite.main()
