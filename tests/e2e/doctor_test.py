"""`caracal doctor` on a real broker, and `caracal run`, which refuses what doctor calls a problem."""

import json
import unittest

from harness import engine, suite
from harness.kafka import Kafka
from harness.scenario import CONFIGS
from harness.stack import Stack

STACK = Stack()
CONFIG = CONFIGS / "card-risk.yaml"
FINDINGS, BAD_CONFIG = 1, 78


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.start("kafka")


class DoctorTest(unittest.TestCase):
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

    def caracal(self, *arguments):
        """(exit code, standard output, all it said)."""
        done = engine.attempt(*arguments, environment=self.environment)
        return done.returncode, done.stdout.decode(), (done.stdout + done.stderr).decode()

    def doctor(self):
        """(exit code, {subject: its worst check that is not ok})."""
        code, lines, _ = self.caracal("doctor", "-c", CONFIG, "--format", "json")
        checks = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual({check["subject"] for check in checks}, {
            f"topic {self.topic}",
            *(f"topic {self.name}.{kind}" for kind in ("alerts", "dead-letters", "state")),
            f"group {self.group()}",
            "transactions",
            "memory",
        })
        checks.sort(key=lambda check: check["outcome"] == "problem")
        return code, {check["subject"]: check for check in checks if check["outcome"] != "ok"}

    def group(self):
        return self.name

    def test_what_is_missing_is_named_and_init_mends_it(self):
        code, found = self.doctor()
        self.assertEqual(code, FINDINGS)
        self.assertEqual({check["outcome"] for check in found.values()}, {"missing"})
        self.assertEqual(len(found), 4)
        self.assertIn("caracal init", found[f"topic {self.name}.state"]["fix"])
        self.kafka.create_topic(self.topic, 3)
        self.assertEqual(self.caracal("init", "-c", CONFIG)[0], 0)
        self.assertEqual(self.doctor(), (0, {}))
        code, text, _ = self.caracal("doctor", "-c", CONFIG)
        self.assertEqual(code, 0)
        self.assertIn(f"ok       topic {self.topic}: source: 3 partitions, 1 replicas", text)
        self.assertIn("ok       transactions: the brokers take them", text)

    def test_run_refuses_what_doctor_calls_a_problem(self):
        self.kafka.create_topic(self.topic, 2, retention_ms=1000)
        self.kafka.create_topic(f"{self.name}.state", 3, cleanup_policy="delete")
        self.assertEqual(self.caracal("init", "-c", CONFIG)[0], FINDINGS)
        code, found = self.doctor()
        self.assertEqual(code, FINDINGS)
        self.assertEqual(set(found), {f"topic {self.topic}", f"topic {self.name}.state"})
        self.assertEqual({check["outcome"] for check in found.values()}, {"problem"})
        self.assertIn("--add-config retention.ms=", found[f"topic {self.topic}"]["fix"])
        # The broker's defaults, which the state topic was made with.
        _, text, _ = self.caracal("doctor", "-c", CONFIG)
        for setting in ("segment.bytes=16777216", "segment.ms=600000", "delete.retention.ms=60000",
                        "min.cleanable.dirty.ratio=0.2"):
            self.assertIn(f"--entity-name {self.name}.state --add-config {setting}", text)
        code, _, said = self.caracal("run", "-c", CONFIG)
        self.assertEqual(code, BAD_CONFIG, said)
        for part in ("keeps records for 1s", "cleanup.policy is delete",
                     "has 3 partitions and its source 2", "`caracal doctor` shows all checks"):
            self.assertIn(part, said)


    def test_memory_for_one_partition_is_asked_for_by_doctor_and_run_alike(self):
        self.kafka.create_topic(self.topic, 1)
        self.assertEqual(self.caracal("init", "-c", CONFIG)[0], 0)
        small = ("--set", "state.max_bytes_per_partition=128MiB",
                 "--set", "engine.memory_limit=64MiB")
        code, text, _ = self.caracal("doctor", "-c", CONFIG, *small)
        self.assertEqual(code, FINDINGS)
        self.assertIn("problem  memory: one partition's state may take 134217728 bytes", text)
        self.assertIn("raise engine.memory_limit", text)
        code, _, said = self.caracal("run", "-c", CONFIG, *small)
        self.assertEqual(code, BAD_CONFIG, said)
        self.assertIn("raise engine.memory_limit", said)


if __name__ == "__main__":
    suite.main()
