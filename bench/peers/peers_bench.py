#!/usr/bin/env python3
"""Compares Caracal with what a team would otherwise run: the same bytes, the same two rulesets, and
the same alerts, or the comparison is void.

Starts a Kafka broker of its own on this machine and fills one topic. Caracal, its peers and
consumers that throw the records away drain it in turn, each from an empty group; then every alert
set is compared with what the oracle of the end-to-end tests expects. Exit code 1: one differs.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PEERS = pathlib.Path(__file__).resolve().parent
BENCH = PEERS.parent
sys.path[:0] = [str(PEERS), str(BENCH), str(BENCH.parent / "tests" / "e2e")]

import figures  # noqa: E402
from alert_sets import alert_set, difference  # noqa: E402
from drains import Topic, drain_by_passes, drain_by_process, drain_by_reader  # noqa: E402
from expected_alerts import expected_alerts  # noqa: E402
from harness.kafka import Kafka  # noqa: E402
from harness.stack import Stack  # noqa: E402
from lineup import CARACAL, DISCARD, Lineup, Peer, alerts_topic  # noqa: E402
from members import JAVA_OPTIONS, missing_programs  # noqa: E402

TOPIC = "bank.public.transactions"
PARTITIONS = 6
BURSTS_SHARE = 30
FAMILIES = ("honest", "python", "streams", "flink")
CONFIG = PEERS / "reference.yaml"


class Bench:
    """The broker, the filled topic, and the drains."""

    def __init__(self, stack, arguments, scratch):
        self._stack = stack
        self._arguments = arguments
        self._kafka = Kafka(stack.bootstrap)
        self._groups = {}  # name of a peer -> groups it has drained under
        pid_file = stack.directory / "stack" / "kafka.pid"
        self._topic = Topic(self._kafka, TOPIC, {}, int(pid_file.read_text().split()[0]),
                            stack.directory)
        self._lineup = Lineup(stack.bootstrap, TOPIC, arguments, scratch)

    def contenders(self):
        """Caracal, its bare consumer, and the peers, in the order of the table."""
        brokers = self._stack.bootstrap
        ours = Peer(CARACAL, "caracal", "process",
                    lambda _: [self._arguments.caracal, "run", "-c", str(CONFIG)])
        bare = Peer(DISCARD, "caracal", "reader",
                    lambda name: [self._arguments.bare_consumer, brokers, TOPIC, name],
                    raises_alerts=False)
        return [ours, bare, *self._lineup.peers()]

    def fill(self):
        """Makes the topic: payments by card, and at its end, a day later, some of the data that the
        reference agents were written for, where bursts of big amounts abound."""
        arguments = self._arguments
        self._kafka.create_topic(TOPIC, PARTITIONS, retention_ms=-1)
        bursts = arguments.records // BURSTS_SHARE
        cards = arguments.records - bursts
        self._generate(cards, "--accounts", arguments.accounts, "--zipf", arguments.zipf,
                       "--event-rate", arguments.accounts / 100, "--steady", "--late", 0.005,
                       "--updates", 0.001, "--burst-rate", 0.005, "--big-ticket-rate", 0.01)
        self._generate(bursts, "--profile", "reference", "--first-id", cards + 1,
                       "--start-time", "2026-01-06T09:00:00Z")
        self._topic.ends = self._kafka.end_offsets(TOPIC)
        assert self._topic.records() == arguments.records, self._topic.ends

    def _generate(self, count, *options):
        command = [self._arguments.caracal, "generate", "--count", count, *options,
                   "--duplicates", 0.001, "--format", "bare", "--decimals", "string",
                   "--record-time", "event", "--brokers", self._stack.bootstrap, "--topic", TOPIC,
                   "--no-progress", "--kafka-property",
                   f"compression.codec={self._arguments.compression}"]
        subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL)

    def drain(self, peer, number):
        """One drain under names that nobody has used."""
        slug = "".join(each if each.isalnum() else "-" for each in peer.name.lower())
        group = f"{slug}-{number}"
        command = [str(word) for word in peer.command(group)]
        if peer.kind == "reader":
            return drain_by_reader(self._topic, peer.name, command)
        if peer.kind == "passes":
            passes = [f"{group}-{each}" for each in range(self._arguments.passes)]
            self._make_topics(passes)
            self._groups.setdefault(peer.name, []).extend(passes)
            return drain_by_passes(self._topic, peer.name, group, command, len(passes))
        self._make_topics([group], of_caracal=peer.name == CARACAL)
        if peer.raises_alerts:
            self._groups.setdefault(peer.name, []).append(group)
        return drain_by_process(self._topic, peer.name, group, command, self._environment(group))

    def _environment(self, group):
        return {"BENCH_KAFKA": self._stack.bootstrap, "BENCH_GROUP": group, "BENCH_TOPIC": TOPIC,
                "BENCH_ADMIN": f"127.0.0.1:{self._stack.admin_ports[0]}"}

    def _make_topics(self, groups, of_caracal=False):
        for group in groups:
            # An alert may be as old as its payment: nothing of it may expire.
            self._kafka.create_topic(alerts_topic(group), PARTITIONS, retention_ms=-1)
            if of_caracal:
                self._kafka.create_topic(f"{group}.dead-letters", PARTITIONS)
                self._kafka.create_topic(f"{group}.state", PARTITIONS, cleanup_policy="compact")

    def compare(self):
        """(alerts by ruleset, {peer: how its alerts differ from the oracle's})."""
        command = [self._arguments.caracal, "list", "rulesets", "--canonical", "-c", str(CONFIG)]
        rulesets = subprocess.run(command, check=True, capture_output=True,
                                  env={**os.environ, **self._environment("oracle")}).stdout
        expected = expected_alerts(self._stack.bootstrap, TOPIC, PARTITIONS, rulesets)
        assert expected, "the topic raises no alerts: nothing would be compared"
        void = {}
        for peer, groups in self._groups.items():
            for group in groups:
                values = (record.value for record in self._kafka.read(alerts_topic(group)))
                if differs := difference(expected, alert_set(values)):
                    void.setdefault(peer, f"{group}: {differs}")
        by_ruleset = {}
        for (_, _, ruleset, *_), count in expected.items():
            by_ruleset[ruleset] = by_ruleset.get(ruleset, 0) + count
        return by_ruleset, void


def run(bench, arguments):
    """All drains and the comparison; returns the report."""
    bench.fill()
    contenders = bench.contenders()
    drains = []
    for number in range(arguments.runs):
        for peer in contenders if number % 2 == 0 else reversed(contenders):
            drain = bench.drain(peer, number)
            drains.append(drain)
            print(f"  {drain.who:30} {arguments.records / drain.seconds:10,.0f} events/s   "
                  f"cpu {drain.cpu:5.1f} s   broker {drain.broker_cpu:5.1f} s   "
                  f"peak RSS {drain.peak_rss_kib // 1024:,} MiB", file=sys.stderr, flush=True)
    print("  the oracle judges the topic", file=sys.stderr, flush=True)
    alerts, void = bench.compare()
    for peer, differs in void.items():
        print(f"  VOID: {peer}: {differs}", file=sys.stderr, flush=True)
    return {
        "records": arguments.records,
        "accounts": arguments.accounts,
        "zipf": arguments.zipf,
        "compression": arguments.compression,
        "alerts": alerts,
        "void": void,
        "drains": [dataclasses.asdict(drain) for drain in drains],
        "figures": figures.figures(arguments.records, drains, void),
    }


def families(text):
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - set(FAMILIES):
        raise argparse.ArgumentTypeError(
            f"there is no peer {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    return chosen


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--caracal", required=True, help="the program")
    parser.add_argument("--bare-consumer", required=True, help="reads and does nothing")
    parser.add_argument("--honest", required=True, help="the peer in C++")
    parser.add_argument("--prepared", type=pathlib.Path, required=True,
                        help="folder with the Python environment and the Java classes")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON report")
    parser.add_argument("--only", type=families, default=FAMILIES, metavar="PEER,...",
                        help=f"some of {', '.join(FAMILIES)}")
    parser.add_argument("--records", type=int, default=3_000_000)
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--zipf", type=float, default=0.9)
    parser.add_argument("--compression", default="lz4", choices=("none", "lz4", "zstd"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--commit-ms", type=int, default=1000,
                        help="between commits of Kafka Streams and checkpoints of Flink")
    parser.add_argument("--passes", type=int, default=3,
                        help="drains of one JVM, of which the last one counts")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if missing_programs("peers_bench"):
        return 69
    os.environ.setdefault("STACK_JAVA_OPTIONS", JAVA_OPTIONS)
    stack = Stack()
    os.environ["STACK_CACHE"] = stack.cache
    with contextlib.ExitStack() as cleanup:
        scratch = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="caracal-peers-"))
        cleanup.callback(stack.stop)
        stack.start("kafka")
        report = run(Bench(stack, arguments, pathlib.Path(scratch)), arguments)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if report["void"] else 0


if __name__ == "__main__":
    sys.exit(main())
