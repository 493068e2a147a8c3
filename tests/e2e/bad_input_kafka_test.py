"""What can be got wrong on a real broker, and what the engine says: topics that are missing or
differ, brokers that are not there, records that cannot be read or do not fit, a configuration for
other records. Whatever it waits for, TERM ends it soon with 0 and nothing is lost."""

import json
import signal
import socket
import time
import unittest

from harness import engine, suite
from harness.kafka import Kafka
from harness.scenario import CONFIGS
from harness.stack import Stack
from harness.waiting import wait_until

STACK = Stack()
CONFIG = CONFIGS / "card-risk.yaml"
FINDINGS, UNAVAILABLE, BAD_CONFIG = 1, 69, 78
SOON_SECONDS = 10
KEY = '{"user_id":1042}'
ACCEPTED_BYTES = 12_000_000


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.start("kafka")


def row(number, **columns):
    """A flat row of the transactions table. A column given as ... is left out."""
    values = {
        "id": number,
        "user_id": 1042,
        "amount": "12.50",
        "created_at": "2026-03-04T11:02:07Z",
        "merchant_id": 7,
        "card_type": "debit",
        **columns,
    }
    kept = {name: value for name, value in values.items() if value is not ...}
    return json.dumps(kept).encode()


def envelope(**members):
    return json.dumps({"source": {"table": "t", "ts_ms": 1_772_622_127_000}, **members}).encode()


class BadInputKafkaTest(unittest.TestCase):
    def setUp(self):
        self.name = self.id().rpartition(".test_")[2].replace("_", "-")
        self.kafka = Kafka(STACK.bootstrap)
        self.topic = f"{self.name}.transactions"
        self.environment = {
            "E2E_KAFKA": STACK.bootstrap,
            "E2E_NAME": self.name,
            "E2E_TOPIC": self.topic,
            "E2E_ADMIN": f"127.0.0.1:{STACK.admin_ports[0]}",
        }

    def create_source(self, partitions=1):
        self.kafka.create_topic(self.topic, partitions, max_message_bytes=ACCEPTED_BYTES)

    def create_outputs(self, *kinds):
        for kind in kinds:
            settings = {"cleanup_policy": "compact"} if kind == "state" else {}
            self.kafka.create_topic(f"{self.name}.{kind}", 1, **settings)

    def start(self, **environment):
        environment = {**self.environment, **environment}
        log = STACK.directory / f"{self.name}.log"
        member = engine.Member(CONFIG, environment, self.environment["E2E_ADMIN"], log)
        self.addCleanup(member.kill)
        return member.start()

    def caracal(self, *arguments):
        """(exit code, what it said)."""
        done = engine.attempt(*arguments, environment=self.environment)
        return done.returncode, (done.stdout + done.stderr).decode()

    def assert_stops_soon(self, member):
        began = time.monotonic()
        self.assertEqual(member.terminate(), 0, member.describe())
        self.assertLess(time.monotonic() - began, SOON_SECONDS, member.describe())

    def assert_says(self, said, *parts):
        for part in parts:
            self.assertIn(part, said)

    # -- topics

    def test_init_creates_once_and_tells_what_differs(self):
        code, said = self.caracal("init", "-c", CONFIG)
        self.assertEqual(code, BAD_CONFIG)
        self.assert_says(said, f"source topic '{self.topic}' does not exist yet", "--partitions N")
        self.create_source(3)
        code, said = self.caracal("init", "-c", CONFIG, "--print")
        self.assertEqual((code, self.kafka.partition_count(f"{self.name}.state")), (0, 0))
        self.assert_says(
            said,
            f"kafka-topics.sh --bootstrap-server {STACK.bootstrap} --create --if-not-exists "
            f"--topic {self.name}.state --partitions 3 --config cleanup.policy=compact",
            f"max.message.bytes={ACCEPTED_BYTES + 65_536}",
        )
        self.kafka.create_topic(f"{self.name}.state", 1, cleanup_policy="delete")
        for word in ("created", "exists "):  # a second run changes nothing
            code, said = self.caracal("init", "-c", CONFIG, "--partitions", "5")
            self.assertEqual(code, FINDINGS)
            self.assert_says(
                said,
                f"{word}  {self.name}.alerts  (alerts, 3 partitions)",
                "has 3 partitions: --partitions 5 is not used",
                "has 1 partition, must have 3, as many as its source topic",
                f"cleanup.policy is delete, should be compact: kafka-configs.sh --bootstrap-server "
                f"{STACK.bootstrap} --alter --entity-type topics --entity-name {self.name}.state "
                "--add-config cleanup.policy=compact",
            )

    def test_run_waits_for_its_source_topic(self):
        self.create_outputs("alerts", "dead-letters", "state")
        member = self.start()
        (line, *_) = member.wait_log("a topic does not exist yet, waiting for it")
        self.assert_says(line, self.topic, "start the connector")
        self.assert_stops_soon(member)
        member.start()
        wait_until(lambda: len(member.log_lines("a topic does not exist yet")) == 2, "waiting again")
        self.create_source()
        member.wait_ready()
        self.assert_stops_soon(member)

    def test_run_names_the_output_topics_that_are_missing(self):
        self.create_source()
        self.create_outputs("state")
        self.kafka.produce(self.topic, 0, b"{broken", key=KEY)
        member = self.start()
        for kind in ("alerts", "dead-letters"):
            member.wait_log(
                f"topic '{self.name}.{kind}' does not exist: create it with `caracal init`"
            )
        member.wait_log("cannot be written yet")
        self.assertEqual(self.kafka.committed_offsets(self.name, self.topic), {0: 0})
        self.create_outputs("alerts", "dead-letters")
        self.wait_committed(1, member)
        self.assertEqual(len(self.kafka.read(f"{self.name}.dead-letters")), 1)
        self.assert_stops_soon(member)

    def test_a_second_signal_ends_a_stop_that_takes_long(self):
        self.create_source()
        self.create_outputs("state")
        self.kafka.produce(self.topic, 0, b"{broken", key=KEY)
        member = self.start()
        member.wait_log("cannot be written yet")
        member.send_signal(signal.SIGTERM)
        member.wait_log("stopping: copying state and committing what has been judged")
        began = time.monotonic()
        member.send_signal(signal.SIGTERM)
        self.assertEqual(member.wait_end(), 128 + signal.SIGTERM, member.describe())
        self.assertLess(time.monotonic() - began, SOON_SECONDS, member.describe())
        self.assertEqual(self.kafka.committed_offsets(self.name, self.topic), {0: 0})

    def test_run_ends_without_its_state_topic(self):
        self.create_source(2)
        self.create_outputs("alerts", "dead-letters")
        for text in (
            f"topic '{self.name}.state' does not exist or has no partition",
            f"topic {self.name}.state has 1 partitions and its source 2",
        ):
            member = self.start()
            self.assertEqual(member.wait_end(), BAD_CONFIG, member.describe())
            (line, *_) = member.wait_log(text)
            self.assert_says(line, "`caracal init`")
            self.create_outputs("state")  # of one partition

    # -- connections

    def test_run_tries_on_where_no_broker_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            address = f"127.0.0.1:{unused.getsockname()[1]}"
        member = self.start(E2E_KAFKA=address)
        member.wait_log("no broker can be reached, trying again before the group is joined")
        member.wait_log("check kafka.bootstrap_servers")
        member.wait_log(f"{address}: Connect to ipv4#{address} failed: Connection refused")
        self.assertTrue(member.running(), member.describe())
        self.assert_stops_soon(member)

    def test_run_names_the_port_that_is_taken(self):
        address = ("127.0.0.1", STACK.admin_ports[0])
        with socket.create_server(address):
            code, said = self.caracal("run", "-c", CONFIG)
        self.assertEqual(code, UNAVAILABLE)
        self.assert_says(said, f"{address[0]}:{address[1]}", "set admin.listen to a free port")

    # -- records

    def test_records_that_cannot_be_read_hold_nothing_up(self):
        self.create_source()
        self.create_outputs("alerts", "dead-letters", "state")
        rejects = [
            ("missing_field", "account column 'user_id' is absent", row(2, user_id=...)),
            ("missing_account", "account column 'user_id' is null", row(3, user_id=None)),
            ("missing_amount", "amount column 'amount' is null", row(4, amount=None)),
            ("invalid_amount", "amount column 'amount' is not a number", row(5, amount="ten")),
            ("amount_scale", "amount_scale", row(6, amount="12.505")),
            ("amount_scale_unknown", "decimal.handling.mode=string", row(7, amount="BOI=")),
            ("amount_out_of_range", "amount column 'amount'", row(8, amount="9" * 20)),
            ("invalid_value", "time column 'created_at' is not a time", row(9, created_at="soon")),
            ("invalid_utf8", "UTF-8", row(10, card_type="XX").replace(b"XX", b"\xff\xfe")),
            ("unknown_format", "not a JSON object", b"[1]"),
            ("unknown_format", "use the connector's JsonConverter", b"\x00\x00\x00\x00\x05abc"),
            ("unknown_format", "none of c, r, u, d", envelope(op="x", after=None)),
            ("missing_field", "row 'after' is null", envelope(op="c", after=None)),
            ("malformed_json", "not one JSON document", b'{"id":'),
            ("too_deep", "nested too deeply", b'{"a":' * 2000 + b"1" + b"}" * 2000),
            # Larger than the dead-letter topic takes, in the middle of those that fit.
            ("too_large", "max_record_bytes", row(11, card_type="x" * 10_000_000)),
            ("missing_field", "amount column 'amount' is absent", row(12, amount=...)),
        ]
        # Any clock is a payment: the record's own timestamp takes the place of nonsense.
        for number, time_text in enumerate(("1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"), 20):
            self.kafka.produce(self.topic, 0, row(number, created_at=time_text), key=KEY)
        for _, _, value in rejects:
            self.kafka.produce(self.topic, 0, value, key=KEY)
        self.kafka.produce(self.topic, 0, row(30), key='{"id":30}')

        member = self.start()
        self.wait_committed(len(rejects) + 3, member)
        self.assertEqual(member.metric("caracal_transactions_evaluated_total"), 3)
        self.assertEqual(member.metric("caracal_key_mismatches_total"), 1)
        (line, *_) = member.log_lines("the Kafka key is not the stream's key")
        self.assert_says(line, "message.key.columns", "REPLICA IDENTITY FULL")
        (line, *_) = member.log_lines("goes without its value")
        self.assert_says(line, f"{self.name}.dead-letters", "raise the topic's max.message.bytes")

        letters = self.kafka.read(f"{self.name}.dead-letters")
        self.assertEqual(len(letters), len(rejects))
        for letter, (reason, detail, value) in zip(letters, rejects, strict=True):
            self.assertEqual(letter.header("caracal-reason"), reason)
            self.assertIn(detail, letter.header("__connect.errors.exception.message"))
            if reason == "too_large":
                self.assertIsNone(letter.value)
                self.assertEqual(letter.header("caracal-value-omitted"), str(len(value)))
        self.assert_stops_soon(member)

    def test_a_wrong_field_map_pauses_until_resumed(self):
        self.create_source()
        self.create_outputs("alerts", "dead-letters", "state")
        payments = 2_500
        self.kafka.produce_lines(
            self.topic, [(KEY, row(n, user_id=..., uid=1).decode()) for n in range(payments)]
        )
        member = self.start()
        (line, *_) = member.wait_log("reject storm: partition paused")
        self.assert_says(line, "account column 'user_id' is absent", "caracal resume")
        self.assert_stops_soon(member)
        self.assertEqual(self.kafka.committed_offsets(self.name, self.topic), {0: 2_001})

        self.kafka.produce_lines(
            self.topic, [(KEY, row(n, user_id=..., uid=1).decode()) for n in range(payments)]
        )
        member.start()
        wait_until(lambda: len(member.log_lines("reject storm")) == 2, member.describe)
        admin = self.environment["E2E_ADMIN"]
        resume = ("resume", "--topic", self.topic, "--admin", admin)
        code, said = self.caracal(*resume, "--partition", "7")
        self.assertEqual(code, FINDINGS)
        self.assert_says(said, f"no paused partition of topic '{self.topic}' here")
        self.assertEqual(self.caracal(*resume)[0], 0, member.describe())
        self.wait_committed(2 * payments, member)
        self.assert_stops_soon(member)

    def wait_committed(self, offset, member):
        wait_until(
            lambda: self.kafka.committed_offsets(self.name, self.topic).get(0) == offset,
            lambda: f"{self.kafka.committed_offsets(self.name, self.topic)}\n{member.describe()}",
        )


if __name__ == "__main__":
    suite.main()
