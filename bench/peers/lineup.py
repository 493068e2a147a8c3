"""Who takes part: the commands of the peers, and what the comparison asks of Caracal."""

import dataclasses
import os
import pathlib

PEERS = pathlib.Path(__file__).resolve().parent
CARACAL = "Caracal, exactly_once"
CARACAL_AT_LEAST_ONCE = "Caracal, at_least_once"
HONEST = "honest C++"
TUNED_PYTHON = "Python, tuned"
NAIVE_PYTHON = "Python, naive"
STREAMS = "Kafka Streams"
STREAMS_EXACTLY_ONCE = "Kafka Streams, exactly_once_v2"
FLINK = "Flink"
FLINK_EXACTLY_ONCE = "Flink, exactly-once"
DISCARD = "discard, Caracal's queues"
DISCARD_HONEST = "discard, honest C++'s queues"

CONSUMERS = "2"

# Least ratios of Caracal to a peer: events per CPU-second, events per second of the wall clock.
FLOORS = {
    HONEST: (1.05, 1.0),
    TUNED_PYTHON: (4, 3),
    FLINK_EXACTLY_ONCE: (2.5, 1.8),
    STREAMS_EXACTLY_ONCE: (7, 5),
}
ENGINE_FLOOR = 1.5

# What a server's JVM is given, not a desktop's: on two processors Java would choose otherwise.
_JAVA = ("java", "-Xms3g", "-Xmx3g", "-XX:+UseParallelGC")
_FLINK_OPENS = tuple(
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.lang", "java.util", "java.time", "java.nio")
)


@dataclasses.dataclass
class Peer:
    """A program to compare with. kind: "process" runs until TERM, "passes" drains several times.

    command(name): the command line for a consumer group (a prefix of it) called `name`.
    """

    name: str
    family: str
    kind: str
    command: object
    raises_alerts: bool = True


class Lineup:
    """The peers of some families, by what has been prepared for them."""

    def __init__(self, brokers, topic, arguments, scratch):
        self._brokers = brokers
        self._topic = topic
        self._arguments = arguments
        self._scratch = scratch

    def peers(self):
        return [peer for peer in (*self.honest(), *self._python(), *self._streams(),
                                  *self._flink()) if peer.family in self._arguments.only]

    def honest(self):
        """The peer in C++, and the same without judging."""
        def command(name, *extra):
            return [self._arguments.honest, self._brokers, self._topic, name, alerts_topic(name),
                    CONSUMERS, *extra]

        yield Peer(HONEST, "honest", "process", command)
        yield Peer(DISCARD_HONEST, "honest", "process", lambda name: command(name, "--discard"),
                   raises_alerts=False)

    def _python(self):
        python = str(self._arguments.prepared / "venv" / "bin" / "python")

        def program(file):
            return lambda name: [python, str(PEERS / "python" / file), self._brokers, self._topic,
                                 name, alerts_topic(name)]

        yield Peer(TUNED_PYTHON, "python", "process", program("tuned.py"))
        yield Peer(NAIVE_PYTHON, "python", "process", program("naive.py"))

    def _streams(self):
        yield self._jvm(STREAMS, "streams", "StreamsPeer", "at_least_once")
        yield self._jvm(STREAMS_EXACTLY_ONCE, "streams", "StreamsPeer", "exactly_once_v2")

    def _flink(self):
        yield self._jvm(FLINK, "flink", "FlinkPeer", "none")
        yield self._jvm(FLINK_EXACTLY_ONCE, "flink", "FlinkPeer", "exactly_once")

    def _jvm(self, name, family, main, guarantee):
        jars = pathlib.Path(os.environ["STACK_CACHE"]) / "peers" / family
        path = f"{self._arguments.prepared / family}:{jars}/*"
        opens = _FLINK_OPENS if family == "flink" else ()

        def command(group):
            return [*_JAVA, *opens, "-cp", path, f"caracal.peers.{family}.{main}", self._brokers,
                    self._topic, group, guarantee, str(self._arguments.commit_ms),
                    str(self._arguments.passes), str(self._scratch / group)]

        return Peer(name, family, "passes", command)


def alerts_topic(name):
    return f"{name}.alerts"
