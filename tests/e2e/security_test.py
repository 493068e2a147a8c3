"""A broker with logins and ACLs, as banks run them: a refused login and every missing right end in
a sentence that says what to change, and the rights the documents list are enough, and no more."""

import time
import unittest

from harness import engine, suite
from harness.kafka import Kafka
from harness.scenario import CONFIGS
from harness.stack import Stack
from harness.waiting import wait_until

STACK = Stack()
CONFIG = CONFIGS / "card-risk.yaml"
BAD_CONFIG = 78
SOON_SECONDS = 10
USER = "engine"
# Who comes through the other listeners may do everything.
BROKER = """\
listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{controller},LOGIN://127.0.0.1:{login}
advertised.listeners=PLAINTEXT://127.0.0.1:{kafka},LOGIN://127.0.0.1:{login}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT
listener.name.login.sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config={module} required user_engine="engine";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
LOGIN_PORT = STACK.ports["postgres"]  # PostgreSQL does not run here
OUTPUTS = ("alerts", "dead-letters", "state")


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.extra_kafka = BROKER.format(
        kafka=STACK.ports["kafka"],
        controller=STACK.ports["controller"],
        login=LOGIN_PORT,
        module="org.apache.kafka.common.security.plain.PlainLoginModule",
    )
    STACK.start("kafka")


class SecurityTest(unittest.TestCase):
    def setUp(self):
        self.name = self.id().rpartition(".test_")[2].replace("_", "-")
        self.kafka = Kafka(STACK.bootstrap)
        self.topic = f"{self.name}.transactions"
        self.environment = {
            "E2E_KAFKA": f"127.0.0.1:{LOGIN_PORT}",
            "E2E_NAME": self.name,
            "E2E_TOPIC": self.topic,
            "E2E_ADMIN": f"127.0.0.1:{STACK.admin_ports[0]}",
            "CARACAL_KAFKA__PROPERTIES__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "CARACAL_KAFKA__PROPERTIES__SASL_MECHANISM": "PLAIN",
            "CARACAL_KAFKA__PROPERTIES__SASL_USERNAME": USER,
            "CARACAL_KAFKA__PROPERTIES__SASL_PASSWORD": "engine",
        }
        self.kafka.create_topic(self.topic, 1)
        for kind in OUTPUTS:
            settings = {"cleanup_policy": "compact"} if kind == "state" else {}
            self.kafka.create_topic(f"{self.name}.{kind}", 1, **settings)

    def start(self, **environment):
        log = STACK.directory / f"{self.name}.log"
        member = engine.Member(
            CONFIG, {**self.environment, **environment}, self.environment["E2E_ADMIN"], log
        )
        self.addCleanup(member.kill)
        return member.start()

    def rights(self):
        """What the documents list, as (operation, resource, name, whether it is a prefix)."""
        return [
            ("READ", "topic", self.topic, False),
            ("WRITE", "topic", f"{self.name}.alerts", False),
            ("WRITE", "topic", f"{self.name}.dead-letters", False),
            ("READ", "topic", f"{self.name}.state", False),
            ("WRITE", "topic", f"{self.name}.state", False),
            ("READ", "group", self.name, False),
            ("WRITE", "transactional_id", self.name, True),
        ]

    def grant_all_but(self, *missing):
        granted = [right for right in self.rights() if right[:3] not in missing]
        self.assertEqual(len(granted) + len(missing), len(self.rights()))
        for right in granted:
            self.kafka.allow(USER, *right)

    def assert_stops_soon(self, member):
        began = time.monotonic()
        self.assertEqual(member.terminate(), 0, member.describe())
        self.assertLess(time.monotonic() - began, SOON_SECONDS, member.describe())

    def assert_ends_and_says(self, *sentences):
        member = self.start()
        self.assertEqual(member.wait_end(), BAD_CONFIG, member.describe())
        for sentence in sentences:
            member.wait_log(sentence)

    def test_the_documented_rights_are_enough(self):
        self.grant_all_but()
        member = self.start().wait_ready()
        self.kafka.produce(self.topic, 0, b"{broken", key="k")
        wait_until(lambda: self.kafka.read(f"{self.name}.dead-letters"), member.describe)
        (line, *_) = member.log_lines(f"topic {self.topic} cannot be looked at")
        self.assertIn("grant Describe and DescribeConfigs", line)
        self.assert_stops_soon(member)
        for topic in (self.topic, *(f"{self.name}.{kind}" for kind in OUTPUTS)):
            self.kafka.allow(USER, "DESCRIBE_CONFIGS", "topic", topic)
        done = engine.attempt("doctor", "-c", CONFIG, environment=self.environment)
        said = (done.stdout + done.stderr).decode()
        self.assertNotIn("cannot be looked at", said)
        self.assertNotIn("grant", said)

    def test_run_names_the_right_to_read_the_source(self):
        self.grant_all_but(("READ", "topic", self.topic))
        self.assert_ends_and_says("needs READ on the source")

    def test_run_names_the_right_to_read_the_state(self):
        self.grant_all_but(("READ", "topic", f"{self.name}.state"))
        self.kafka.produce(f"{self.name}.state", 0, b"x", key="k")
        self.assert_ends_and_says("needs READ on the source and state topics")

    def test_run_names_the_right_to_write_the_state(self):
        self.grant_all_but(("WRITE", "topic", f"{self.name}.state"))
        member = self.start()
        (line, *_) = member.wait_log("records of the state topic are not written yet, trying again")
        self.assertIn("WRITE on the alert, dead-letter and state topics", line)
        self.assert_stops_soon(member)

    def test_run_names_the_right_to_write_dead_letters(self):
        self.grant_all_but(("WRITE", "topic", f"{self.name}.dead-letters"))
        self.assert_ends_and_says(
            f"writing to topic '{self.name}.dead-letters'",
            "WRITE on the alert, dead-letter and state topics",
        )

    def test_run_names_the_right_to_join_the_group(self):
        self.grant_all_but(("READ", "group", self.name))
        self.assert_ends_and_says("needs READ on the consumer group, kafka.group_id")

    def test_run_names_the_right_to_write_transactions(self):
        self.grant_all_but(("WRITE", "transactional_id", self.name))
        self.assert_ends_and_says("needs WRITE and DESCRIBE on the transactional ids that start")

    def test_a_refused_login_is_told_and_tried_again(self):
        member = self.start(CARACAL_KAFKA__PROPERTIES__SASL_PASSWORD="wrong")
        (line, *_) = member.wait_log("a broker refuses the login, trying again")
        self.assertIn("check security.protocol, sasl.* and ssl.* in kafka.properties", line)
        self.assertIn("Invalid username or password", line)
        self.assertTrue(member.running(), member.describe())
        self.assert_stops_soon(member)


if __name__ == "__main__":
    suite.main()
