"""The stack and the harness without the engine: the scripts can be run again, Debezium's records
arrive, and the oracle decides on them as worked out by hand."""

import re
import subprocess
import unittest

import golden_decisions
import malformed
import oracle
from harness import compare, rows, suite
from harness.kafka import Kafka
from harness.stack import SCRIPTS, Stack, StackError
from harness.waiting import wait_until
from oracle_tests.cases import reference_rulesets

STACK = Stack()


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.start()


def wait_for_records(topic, count):
    kafka = Kafka(STACK.bootstrap)
    wait_until(
        lambda: sum(kafka.end_offsets(topic).values()) >= count,
        lambda: f"{topic}: {kafka.end_offsets(topic)} of {count} records",
    )
    return kafka.read(topic)


class ScriptTest(unittest.TestCase):
    def script(self, name, *arguments):
        return subprocess.run(
            [SCRIPTS / name, STACK.directory / "stack", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
        )

    def test_everything_may_be_started_again(self):
        STACK.create_database("again")
        STACK.create_connector("transactions-by-account.json", "again")
        before = self.script("status.sh")
        self.assertEqual(before.returncode, 0, before.stdout)
        self.assertEqual(self.script("up.sh").returncode, 0)
        STACK.create_database("again")
        STACK.create_connector("transactions-by-account.json", "again")
        after = self.script("status.sh")
        self.assertEqual(after.stdout, before.stdout)
        self.assertRegex(after.stdout, r"again +running")

    def test_data_survive_a_stop(self):
        STACK.create_database("kept")
        STACK.create_connector("transactions-by-account.json", "kept")
        payment = rows.transaction(1, 1, None, "1")
        STACK.psql("kept", rows.insert("transactions", [payment]))
        wait_for_records("kept.public.transactions", 1)
        self.assertEqual(self.script("down.sh").returncode, 0)
        stopped = self.script("status.sh")
        self.assertEqual(stopped.returncode, 1)
        self.assertEqual(len(re.findall("stopped", stopped.stdout)), 3)
        self.assertEqual(self.script("up.sh").returncode, 0)
        STACK.psql("kept", rows.insert("transactions", [{**payment, "id": 2}]))
        STACK.create_connector("transactions-by-account.json", "kept")
        records = wait_for_records("kept.public.transactions", 2)
        self.assertEqual([record.key for record in records], [b'{"user_id":1}'] * 2)

    def test_a_failed_task_is_reported_and_restarted(self):
        with self.assertRaisesRegex(StackError, "does not run the connector broken"):
            STACK.create_connector("transactions-by-account.json", "broken", database="postgres")
        STACK.psql(
            "postgres",
            "CREATE TABLE transactions(id int PRIMARY KEY, user_id int);"
            "GRANT SELECT ON transactions TO cdc;"
            "CREATE PUBLICATION cdc_publication FOR TABLE transactions",
            user="postgres",
        )
        STACK.create_connector("transactions-by-account.json", "broken", database="postgres")

    def test_the_connector_may_only_read(self):
        STACK.create_database("guarded")
        with self.assertRaisesRegex(StackError, "permission denied"):
            STACK.psql("guarded", "DELETE FROM transactions", user="cdc")


class RecordTest(unittest.TestCase):
    def golden(self, outcomes, expected):
        actual = {
            (alert["ruleset"], alert["transaction_id"])
            for own in outcomes.values()
            for outcome in own
            for alert in outcome.alerts
        }
        self.assertEqual(actual, expected)

    def insert_golden(self, database):
        start_us = rows.hours_ago(72)
        payments, alerts = rows.golden_rows(golden_decisions.PAYMENTS, 1, 0, start_us)
        STACK.psql(database, rows.insert("transactions", payments))
        return len(payments), alerts

    def test_rows_keyed_by_account(self):
        STACK.create_database("bank")
        count, expected = self.insert_golden("bank")
        STACK.create_connector("transactions-by-account.json", "bank")
        wait_for_records("bank.public.transactions", count)
        STACK.psql("bank", "UPDATE transactions SET user_id = 999 WHERE id = 1")
        STACK.psql("bank", "DELETE FROM transactions WHERE id = 2")
        records = wait_for_records("bank.public.transactions", count + 5)

        outcomes = oracle.judge(records, reference_rulesets())
        self.golden(outcomes, expected)
        counts = compare.count(outcomes)
        self.assertEqual(counts["evaluated"], count)
        self.assertEqual(counts["skipped{moved_row}"], 1)
        self.assertEqual(counts["skipped{operation}"], 2)
        self.assertEqual(counts["skipped{tombstone}"], 2)
        partitions = {}
        for record in records:
            partitions.setdefault(record.key, set()).add(record.partition)
        self.assertEqual({len(each) for each in partitions.values()}, {1})
        self.assertEqual(Kafka(STACK.bootstrap).partition_count("bank.public.transactions"), 6)

    def test_rows_with_the_default_key(self):
        STACK.create_database("course", "DEFAULT")
        count, expected = self.insert_golden("course")
        STACK.create_connector("transactions-by-id.json", "course")
        wait_for_records("course.public.transactions", count)
        STACK.psql("course", "UPDATE transactions SET id = 999 WHERE id = 1")
        records = wait_for_records("course.public.transactions", count + 3)
        outcomes = oracle.judge(records, reference_rulesets())
        self.golden(outcomes, expected)
        self.assertEqual(set(outcomes), {0})
        self.assertIn(b'"schema":', records[0].value)
        self.assertIn(b"org.apache.kafka.connect.data.Decimal", records[0].value)

    def test_exact_bytes_and_offsets(self):
        kafka = Kafka(STACK.bootstrap)
        kafka.create_topic("bytes", 2)
        kafka.create_topic("bytes", 2)
        values = [value for value, _ in malformed.skipped(1) + malformed.rejected(1, 1)]
        for value in values:
            kafka.produce("bytes", 1, value, "key", headers=[("name", "text")])
        records = kafka.read("bytes")
        self.assertEqual([record.value for record in records], values)
        self.assertEqual({record.key for record in records}, {b"key"})
        self.assertEqual({record.header("name") for record in records}, {"text"})
        self.assertEqual(kafka.end_offsets("bytes"), {0: 0, 1: len(values)})
        self.assertEqual(kafka.end_offsets("no-such-topic"), {})

    def test_committed_offsets(self):
        kafka = Kafka(STACK.bootstrap)
        kafka.create_topic("consumed", 2)
        kafka.produce_lines("consumed", [(str(i), "x") for i in range(50)])
        self.assertEqual(kafka.committed_offsets("readers", "consumed"), {})
        self.assertEqual(kafka.group_members("readers"), [])
        program = ["kcat", "-b", STACK.bootstrap, "-G", "readers", "-e", "-q"]
        program += ["-X", "auto.offset.reset=earliest", "consumed"]
        subprocess.run(program, check=True, capture_output=True, timeout=60)
        self.assertEqual(
            kafka.committed_offsets("readers", "consumed"), kafka.end_offsets("consumed")
        )


if __name__ == "__main__":
    suite.main(needs_binary=False)
