"""One Kafka broker with a way in that can be disturbed."""

import subprocess
import time

from harness.kafka import Kafka
from harness.stack import Stack
from proxy import Proxy

_OFFSETS_TOPIC, _OFFSETS_PARTITIONS = "__consumer_offsets", 4
# Longer than a member's transaction may live, and than it takes the coordinator to end it.
_HANGING_S = 20

# Killed members leave transactions open; looked at often, so that a run has more of its faults in
# the middle of work and fewer in the middle of waiting. Compaction comes often for the same reason.
_BROKER = """\
listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{controller},FAULTY://127.0.0.1:{faulty}
advertised.listeners=PLAINTEXT://127.0.0.1:{kafka},FAULTY://127.0.0.1:{proxy}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FAULTY:PLAINTEXT
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.cleaner.backoff.ms=500
"""


class Broker:
    """A context: a fresh broker, and the proxy in front of its second listener.

    `direct` is for the load and for looking at results; members come through `disturbed`.
    """

    def __enter__(self):
        self.stack = Stack()
        self.groups = []  # their members end with the broker
        self.producers = []
        # Neither PostgreSQL nor Connect runs: their ports are free.
        ports = {
            "kafka": self.stack.ports["kafka"],
            "controller": self.stack.ports["controller"],
            "faulty": self.stack.ports["postgres"],
            "proxy": self.stack.ports["connect"],
        }
        self.stack.extra_kafka = _BROKER.format(**ports)
        self.proxy = Proxy(("127.0.0.1", ports["faulty"]), ports["proxy"]).start()
        self.direct = self.stack.bootstrap
        self.disturbed = f"127.0.0.1:{ports['proxy']}"
        try:
            self.stack.start("kafka")
        except BaseException:
            self.__exit__()
            raise
        self.kafka = Kafka(self.direct)
        return self

    def __exit__(self, *_):
        for group in self.groups:
            group.kill_members()
        for producer in self.producers:
            producer.kill()
        self.proxy.stop()
        self.stack.stop()

    def restart_cleanly(self):
        self.stack.stop_all()
        self.stack.restart("kafka")

    def restart_after_kill(self):
        self.stack.kill("kafka")
        self.stack.restart("kafka")

    def end_hanging_transactions(self, topic=_OFFSETS_TOPIC, partitions=_OFFSETS_PARTITIONS):
        """Aborts what the transaction coordinator has forgotten in a topic; how many there were.

        Kafka 4.3.1 loses the marker of a transaction that was open when its only broker restarted:
        the coordinator holds it for ended, the partition does not. In __consumer_offsets, the
        group's offsets stay unreadable (UNSTABLE_OFFSET_COMMIT); in a topic of alerts, readers of
        committed records stand still. An operator would do the same.
        """
        ended = 0
        for partition in range(partitions):
            where = ["--topic", topic, "--partition", str(partition)]
            for line in self._transactions("describe-producers", *where).splitlines()[1:]:
                *_, last_ms, start = line.split()
                if start != "None" and time.time() - int(last_ms) / 1000 > _HANGING_S:
                    print(f"lost by the broker: {topic} [{partition}] {' '.join(line.split())}")
                    self._transactions("abort", *where, "--start-offset", start)
                    ended += 1
        return ended

    def _transactions(self, *arguments):
        program = ["java", "-cp", f"{self.stack.cache}/lib/*"]
        program += ["org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server", self.direct]
        done = subprocess.run(
            [*program, *arguments], check=True, capture_output=True, text=True, timeout=120
        )
        return done.stdout
