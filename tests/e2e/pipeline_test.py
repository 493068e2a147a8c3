"""PostgreSQL → Debezium → Kafka → engine → alerts, compared with the oracle and with decisions
worked out by hand."""

import json
import os
import random
import unittest

import golden_decisions
import malformed
from harness import compare, rows, suite
from harness.scenario import Scenario
from harness.stack import Stack
from harness.waiting import wait_until

STACK = Stack()
SEED = int(os.environ.get("CARACAL_E2E_SEED", random.randrange(1 << 32)))


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.start()


class PipelineTest(unittest.TestCase):
    def scenario(self, *arguments):
        scenario = Scenario(STACK, *arguments)
        self.addCleanup(scenario.kill_members)
        return scenario

    def assert_alerts(self, outcomes, expected, first_id, last_id):
        """expected: {(ruleset, transaction id)} of the rows first_id..last_id."""
        actual = {
            (alert["ruleset"], alert["transaction_id"])
            for own in outcomes.values()
            for outcome in own
            for alert in outcome.alerts
            if first_id <= int(alert["transaction_id"]) <= last_id
        }
        self.assertEqual(actual, expected)

    def assert_counted(self, scenario, outcomes):
        """The member's counters agree with the oracle, and account for every record."""
        counts = compare.count(outcomes)
        member = scenario.members[0]
        records = sum(map(len, outcomes.values()))
        wait_until(
            lambda: member.metric("caracal_records_consumed_total") == records,
            lambda: f"{member.metric('caracal_records_consumed_total')} of {records} are counted",
        )
        evaluated = counts.get("evaluated", 0) + counts.get("warmed", 0)
        for name, expected in {
            "caracal_transactions_evaluated_total": evaluated,
            "caracal_records_skipped_total": counts.get("skipped", 0),
            "caracal_dead_letters_total": counts.get("dead_lettered", 0),
        }.items():
            self.assertEqual(member.metric(name), expected, name)


class KeyedByAccountTest(PipelineTest):
    """Six partitions keyed by account, REPLICA IDENTITY FULL, JSON without schemas."""

    TOPIC = "bank.public.transactions"
    ACCOUNT = 9000  # of the rows that are not golden

    def test_reference_rulesets_decide_as_worked_out_by_hand(self):
        STACK.create_database("bank")
        start_us = rows.hours_ago(72)
        snapshot, snapshot_alerts = rows.golden_rows(golden_decisions.PAYMENTS, 1, 0, start_us)
        STACK.psql("bank", rows.insert("transactions", snapshot))
        STACK.create_connector("transactions-by-account.json", "bank")
        scenario = self.scenario("reference", "reference.yaml", self.TOPIC, 6)
        scenario.wait_for_records(len(snapshot))
        scenario.start_member().wait_ready()

        live, live_alerts = rows.golden_rows(golden_decisions.PAYMENTS, 1001, 1000, start_us)
        STACK.psql("bank", rows.insert("transactions", live))
        count = len(snapshot) + len(live) + self._change_rows(start_us)
        scenario.wait_for_records(count)
        count += self._produce_foreign_records(scenario)
        scenario.wait_for_records(count)

        scenario.wait_until_judged()
        outcomes = scenario.check()
        self.assertEqual(scenario.repeated_alerts, 0)
        self.assert_alerts(outcomes, snapshot_alerts, 1, len(snapshot))
        self.assert_alerts(outcomes, live_alerts, 1001, 1000 + len(live))
        self.assert_alerts(outcomes, self._changed_row_alerts(), 5000, 5999)
        self.assert_counted(scenario, outcomes)
        scenario.stop_members()

        self._check_default_operations()

    def _change_rows(self, start_us):
        """Updates, deletes, moves and odd values; returns how many records they make."""
        account = self.ACCOUNT
        payments = [
            rows.transaction(5000 + i, account, start_us + i * 1_000_000, "3000") for i in range(5)
        ]
        odd = [
            rows.transaction(5010 + i, account + 1, start_us + i * 3_600_000_000, "50")
            for i in range(3)
        ]
        odd += [
            rows.transaction(5013, account + 1, None, "700"),
            rows.transaction(5014, account + 1, None, "5000", created_at="infinity"),
            rows.transaction(5015, account + 1, None, "9000", created_at="2199-01-01"),
            rows.transaction(5016, account + 1, start_us, None),
            rows.transaction(5017, account + 1, start_us, "NaN"),
            rows.transaction(5018, None, start_us, "10"),
        ]
        STACK.psql("bank", rows.insert("transactions", payments + odd))
        # A sixth event within the minute, and big: updates count in this configuration.
        STACK.psql("bank", "UPDATE transactions SET amount = 4500 WHERE id = 5004")
        # A move to another account is a delete, a tombstone and an insert.
        STACK.psql("bank", f"UPDATE transactions SET user_id = {account + 2} WHERE id = 5003")
        STACK.psql("bank", "UPDATE transactions SET card_type = 'AMEX' WHERE id = 5003")
        STACK.psql("bank", "DELETE FROM transactions WHERE id IN (5000, 5001)")
        return len(payments) + len(odd) + 1 + 3 + 1 + 2 * 2

    @staticmethod
    def _changed_row_alerts():
        profile = golden_decisions.PROFILE
        # Rows without a usable time are judged at the time of their commit, never dropped.
        return {(golden_decisions.SCORE, "5004")} | {
            (profile, row_id) for row_id in ("5013", "5014", "5015")
        }

    def _produce_foreign_records(self, scenario):
        """Rows delivered twice, other forms and malformed records; returns how many."""
        kafka = scenario.kafka
        delivered = [record for record in kafka.read(self.TOPIC) if record.value][:20]
        for record in delivered:
            kafka.produce(self.TOPIC, record.partition, record.value, record.key.decode())
        account = self.ACCOUNT + 3
        values = malformed.evaluated(6000, account)
        values += [value for value, _ in malformed.skipped(account)]
        values += [value for value, _ in malformed.rejected(6100, account)]
        for value in values:
            kafka.produce(self.TOPIC, 0, value, json.dumps({"user_id": account}))
        return len(delivered) + len(values)

    def _check_default_operations(self):
        """The same topic under the default operations: snapshots warm, updates are skipped."""
        scenario = self.scenario("defaults", "card-risk.yaml", self.TOPIC, 6)
        scenario.start_member().wait_ready()
        scenario.wait_until_judged()
        outcomes = scenario.check()
        alerts = {
            alert["transaction_id"]
            for own in outcomes.values()
            for outcome in own
            for alert in outcome.alerts
        }
        of_snapshot = {row_id for row_id in alerts if int(row_id) <= 1000}
        self.assertEqual(of_snapshot, set(), "snapshot rows raise nothing")
        self.assertNotIn("5004", alerts, "an update raises nothing")
        self.assertTrue(alerts, "inserted rows raise alerts")
        scenario.stop_members()


class DefaultKeyTest(PipelineTest):
    """One partition with Debezium's default key, REPLICA IDENTITY DEFAULT, JSON with schemas and
    base64 decimals."""

    TOPIC = "course.public.transactions"

    def test_reference_rulesets_decide_as_worked_out_by_hand(self):
        STACK.create_database("course", "DEFAULT")
        start_us = rows.hours_ago(72)
        snapshot, snapshot_alerts = rows.golden_rows(golden_decisions.PAYMENTS, 1, 0, start_us)
        STACK.psql("course", rows.insert("transactions", snapshot))
        STACK.create_connector("transactions-by-id.json", "course")
        scenario = self.scenario("course", "reference.yaml", self.TOPIC, 1)
        scenario.wait_for_records(len(snapshot))
        scenario.start_member()
        live, live_alerts = rows.golden_rows(golden_decisions.PAYMENTS, 1001, 1000, start_us)
        STACK.psql("course", rows.insert("transactions", live))
        changes = self._change_rows(start_us)

        scenario.wait_for_records(len(snapshot) + len(live) + changes)
        scenario.wait_until_judged()
        outcomes = scenario.check()
        self.assertEqual(scenario.repeated_alerts, 0)
        self.assert_alerts(outcomes, snapshot_alerts, 1, len(snapshot))
        self.assert_alerts(outcomes, live_alerts, 1001, 1000 + len(live))
        # The NULL time comes as 0 under this converter, and must not be taken for 1970.
        self.assert_alerts(outcomes, {(golden_decisions.PROFILE, "5003")}, 5000, 5999)
        self.assert_counted(scenario, outcomes)
        scenario.stop_members()

    @staticmethod
    def _change_rows(start_us):
        """Updates, deletes, a changed id and odd values; returns how many records they make."""
        payments = [
            rows.transaction(5000 + i, 9000, start_us + i * 3_600_000_000, "50") for i in range(3)
        ]
        payments += [
            rows.transaction(5003, 9000, None, "900"),
            rows.transaction(5004, 9000, start_us, "NaN"),  # comes as null
        ]
        STACK.psql("course", rows.insert("transactions", payments))
        STACK.psql("course", "UPDATE transactions SET user_id = 9001 WHERE id = 5000")
        # A change of the key is a delete, a tombstone and an insert.
        STACK.psql("course", "UPDATE transactions SET id = 5900 WHERE id = 5001")
        STACK.psql("course", "DELETE FROM transactions WHERE id = 5002")
        return len(payments) + 1 + 3 + 2


class CardsTest(PipelineTest):
    """Every kind of rule over the cards table, on random payments."""

    TOPIC = "cards.public.card_transactions"
    SNAPSHOT, LIVE = 1_000, 4_000

    def test_every_rule_decides_as_the_oracle(self):
        print(f"CARACAL_E2E_SEED={SEED}")
        rng = random.Random(SEED)
        payments = rows.random_card_payments(
            rng, self.SNAPSHOT + self.LIVE, 1, list(range(1, 41)), rows.hours_ago(30), 10**11
        )
        STACK.create_database("cards")
        STACK.psql("cards", rows.insert("card_transactions", payments[: self.SNAPSHOT]))
        STACK.create_connector("transactions-by-account.json", "cards")
        scenario = self.scenario("cards", "cards.yaml", self.TOPIC, 6)
        scenario.wait_for_records(self.SNAPSHOT)
        scenario.start_member()
        STACK.psql("cards", rows.insert("card_transactions", payments[self.SNAPSHOT :]))

        scenario.wait_for_records(len(payments))
        scenario.wait_until_judged()
        outcomes = scenario.check()
        self.assertEqual(compare.count(outcomes)["warmed"], self.SNAPSHOT)
        fired = {
            reason["rule"]
            for own in outcomes.values()
            for outcome in own
            for alert in outcome.alerts
            for reason in alert["reasons"]
        }
        declared = {rule.id for ruleset in scenario.rulesets() for rule in ruleset.rules}
        self.assertEqual(fired, declared, "the payments exercise every rule")
        self.assert_counted(scenario, outcomes)
        scenario.stop_members()


if __name__ == "__main__":
    suite.main()
