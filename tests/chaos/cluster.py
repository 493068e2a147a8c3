"""Three Kafka brokers, each a controller too, whose partitions change their leaders."""

import contextlib
import secrets
from concurrent.futures import ThreadPoolExecutor

from harness.kafka import Kafka, KafkaError
from harness.stack import Stack
from harness.waiting import wait_until

_NODES = (1, 2, 3)
# Two in sync are enough to write, so that one broker may be away. Who is away is noticed soon.
_SETTINGS = """\
node.id={node}
controller.quorum.voters={voters}
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
broker.heartbeat.interval.ms=300
broker.session.timeout.ms=2000
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
log.cleaner.backoff.ms=500
"""
# Of the stack's ten: three for clients, three for controllers. Members may take the admin ports 0,
# 1, 4 and 5.
_CLIENT_PORTS = ("kafka", "postgres", "connect")
_CONTROLLER_ADMIN_PORTS = (2, 3)


class ClusterClient(Kafka):
    """A client of all brokers. Each says what it leads or coordinates; who is away is passed over."""

    def __init__(self, bootstraps):
        super().__init__(bootstraps[0])
        self.bootstrap = ",".join(bootstraps)
        self._nodes = [Kafka(bootstrap) for bootstrap in bootstraps]

    def end_offsets(self, topic, stable=False):
        return self._together(lambda node: node.end_offsets(topic, stable))

    def committed_offsets(self, group, topic):
        return self._together(lambda node: node.committed_offsets(group, topic))

    def group_members(self, group):
        answers = self._answers(lambda node: node.group_members(group))
        return next((members for members in answers if members), [])

    def _together(self, ask):
        found = {}
        for answer in self._answers(ask):
            found.update(answer)
        return found

    def _answers(self, ask):
        answers = []
        for node in self._nodes:
            with contextlib.suppress(OSError, KafkaError):
                answers.append(ask(node))
        return answers

    def _call(self, api, version, body):
        error = None
        for node in self._nodes:
            try:
                return node._call(api, version, body)
            except (OSError, KafkaError) as caught:
                error = caught
        raise error


class Cluster:
    """A context: three fresh brokers without a proxy. The same for groups as a Broker."""

    def __enter__(self):
        self.groups = []
        self.producers = []
        self.stack = Stack()
        self._nodes = dict(zip(_NODES, [self.stack, Stack(), Stack()]))
        self._take_ports()
        self.direct = ",".join(node.bootstrap for node in self._nodes.values())
        self.disturbed = self.direct
        try:
            self._on_all(lambda node: node.start("kafka"))
        except BaseException:
            self.__exit__()
            raise
        self.kafka = ClusterClient([node.bootstrap for node in self._nodes.values()])
        return self

    def __exit__(self, *_):
        for group in self.groups:
            group.kill_members()
        for producer in self.producers:
            producer.kill()
        self._on_all(lambda node: node.stop())

    def nodes(self):
        """Their ids."""
        return list(self._nodes)

    def kill(self, node):
        self._nodes[node].kill("kafka")

    def restart(self, node):
        self._nodes[node].restart("kafka")

    def leaders(self, topics):
        """{(topic, partition): id}; -1 = there is none."""
        return {(topic, partition): leader for topic in topics
                for partition, (leader, _) in self.kafka.replicas(topic).items()}

    def wait_whole(self, topics, timeout_s=60):
        """Until every partition has all its replicas."""
        def missing():
            return [(topic, partition, leader, in_sync) for topic in topics
                    for partition, (leader, in_sync) in self.kafka.replicas(topic).items()
                    if leader < 0 or len(in_sync) < len(_NODES)]

        wait_until(lambda: not missing(), lambda: f"without all replicas: {missing()}", timeout_s)

    def _take_ports(self):
        first = self.stack
        controllers = [first.ports["controller"],
                       *(first.admin_ports[number] for number in _CONTROLLER_ADMIN_PORTS)]
        voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in zip(_NODES, controllers))
        cluster_id = secrets.token_urlsafe(16)
        clients = [first.ports[name] for name in _CLIENT_PORTS]
        for (number, node), client, controller in zip(self._nodes.items(), clients, controllers):
            node.ports = {**node.ports, "kafka": client, "controller": controller}
            node.cluster_id = cluster_id
            node.extra_kafka = _SETTINGS.format(node=number, voters=voters)

    def _on_all(self, deed):
        """At once: a broker is up when most are."""
        with ThreadPoolExecutor(len(_NODES)) as threads:
            list(threads.map(deed, self._nodes.values()))
