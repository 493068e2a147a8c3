"""Who is a member: two processes of one instance_id, one that died, and static members, whose
partitions wait for them."""

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
SESSION_SECONDS = 3  # as configured there
TWIN_SECONDS = SESSION_SECONDS + 5
PARTITIONS = 2
WAITING = "the group has a member with this instance_id, waiting"


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.start("kafka")


class MembershipTest(unittest.TestCase):
    def setUp(self):
        self.name = self.id().rpartition(".test_")[2].replace("_", "-")
        self.kafka = Kafka(STACK.bootstrap)
        self.topic = f"{self.name}.transactions"
        for created in (self.topic, f"{self.name}.alerts", f"{self.name}.dead-letters"):
            self.kafka.create_topic(created, PARTITIONS)
        self.kafka.create_topic(f"{self.name}.state", PARTITIONS, cleanup_policy="compact")

    def member(self, number, instance, **settings):
        """A member that has been started."""
        admin = f"127.0.0.1:{STACK.admin_ports[number]}"
        environment = {
            "E2E_KAFKA": STACK.bootstrap,
            "E2E_NAME": self.name,
            "E2E_TOPIC": self.topic,
            "E2E_ADMIN": admin,
            "CARACAL_INSTANCE_ID": instance,
            **settings,
        }
        member = engine.Member(CONFIG, environment, admin, STACK.directory / f"{self.name}-{number}")
        self.addCleanup(member.kill)
        return member.start()

    def owned(self, member):
        return member.metric("caracal_kafka_open_partitions")

    def test_a_twin_waits_and_gives_up(self):
        first = self.member(0, "pod-0").wait_ready()
        began = time.monotonic()
        twin = self.member(1, "pod-0")
        twin.wait_log(WAITING)
        self.assertEqual(twin.wait_end(), BAD_CONFIG, twin.describe())
        self.assertGreaterEqual(time.monotonic() - began, TWIN_SECONDS)
        twin.wait_log("has a member with instance_id 'pod-0': stop that process, or give")
        self.assertEqual(self.owned(first), PARTITIONS, "the first one is not disturbed")
        self.assertEqual(first.terminate(), 0, first.describe())

    def test_a_twin_that_waits_stops_when_told(self):
        first = self.member(0, "pod-0").wait_ready()
        twin = self.member(1, "pod-0")
        twin.wait_log(WAITING)
        self.assertEqual(twin.terminate(), 0, twin.describe())
        self.assertEqual(first.terminate(), 0, first.describe())

    def test_the_successor_of_a_member_that_died_waits_for_its_session(self):
        self.member(0, "pod-0").wait_ready().kill()
        successor = self.member(1, "pod-0")
        successor.wait_log(WAITING)
        successor.wait_ready()
        self.assertEqual(self.owned(successor), PARTITIONS)
        self.assertEqual(successor.terminate(), 0, successor.describe())

    def test_other_names_do_not_wait(self):
        first = self.member(0, "pod-0").wait_ready()
        second = self.member(1, "pod-1").wait_ready()
        wait_until(lambda: self.owned(first) == self.owned(second) == 1, second.describe)
        self.assertEqual(second.log_lines(WAITING), [])
        self.assertEqual([first.terminate(), second.terminate()], [0, 0])

    def test_a_static_member_takes_the_place_of_its_twin(self):
        static = {"CARACAL_KAFKA__STATIC_MEMBERSHIP": "true"}
        older = self.member(0, "pod-0", **static).wait_ready()
        newer = self.member(1, "pod-0", **static)
        self.assertEqual(older.wait_end(), BAD_CONFIG, older.describe())
        older.wait_log("two processes have the same instance_id")
        wait_until(lambda: self.owned(newer) == PARTITIONS, newer.describe)
        self.assertEqual(newer.terminate(), 0, newer.describe())

    def test_the_partitions_of_a_static_member_wait_for_its_restart(self):
        static = {"CARACAL_KAFKA__STATIC_MEMBERSHIP": "true"}
        stays = self.member(0, "pod-0", **static).wait_ready()
        leaves = self.member(1, "pod-1", **static).wait_ready()
        wait_until(lambda: self.owned(stays) == self.owned(leaves) == 1, stays.describe)
        moved = stays.metric("caracal_kafka_rebalances_total")
        self.assertEqual(leaves.terminate(), 0, leaves.describe())
        leaves.start().wait_ready()
        wait_until(lambda: self.owned(leaves) == 1, leaves.describe)
        self.assertEqual(stays.metric("caracal_kafka_rebalances_total"), moved)
        self.assertEqual([stays.terminate(), leaves.terminate()], [0, 0])


if __name__ == "__main__":
    suite.main()
