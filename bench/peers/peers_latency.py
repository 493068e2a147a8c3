#!/usr/bin/env python3
"""Compares how long an alert takes with Caracal and with its peers, at a fixed rate that does not
wait for anybody.

Starts a Kafka broker of its own on this machine; open_loop sends the payments and reads the alerts
as a consumer of committed records. Broker, sender, program and reader share the processors. Every
account has a history when the load begins, so that each hundredth payment, which is big, must be
alerted on.
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

from drains import process_tree, running  # noqa: E402
from harness.kafka import Kafka  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from lineup import (  # noqa: E402
    CARACAL,
    FLINK_EXACTLY_ONCE,
    HONEST,
    STREAMS_EXACTLY_ONCE,
    Lineup,
    Peer,
    alerts_topic,
)
from members import JAVA_OPTIONS, missing_programs, process_cpu  # noqa: E402

PARTITIONS = 12
FAMILIES = ("honest", "streams", "flink")
CONFIG = PEERS / "reference.yaml"
START_SECONDS = 300
HISTORY = 3  # what the profile wants before it judges
COMMIT_MS = "100"
# Least ratios of a peer's 99th percentile to Caracal's.
FLOORS = {STREAMS_EXACTLY_ONCE: 3, FLINK_EXACTLY_ONCE: 8}


@dataclasses.dataclass
class Run:
    """One run. CPU in seconds, from the program's start until the last alert has been read."""

    who: str
    latency_ms: dict
    cpu: float
    broker_cpu: float
    sender_late_ms: dict


class Bench:
    def __init__(self, stack, arguments, scratch):
        self._stack = stack
        self._arguments = arguments
        self._scratch = scratch
        self._kafka = Kafka(stack.bootstrap)
        pid_file = stack.directory / "stack" / "kafka.pid"
        self._broker = int(pid_file.read_text().split()[0])

    def contenders(self, topic):
        ours = Peer(CARACAL, "caracal", "process",
                    lambda _: [self._arguments.caracal, "run", "-c", str(CONFIG)])
        lineup = Lineup(self._stack.bootstrap, topic, self._arguments, self._scratch)
        return [ours, *(peer for peer in lineup.peers()
                        if peer.name in (HONEST, STREAMS_EXACTLY_ONCE, FLINK_EXACTLY_ONCE))]

    def run(self, who, number):
        """One program under load, on topics of its own."""
        name = f"latency-{''.join(each if each.isalnum() else '-' for each in who.lower())}-{number}"
        topic = f"{name}.transactions"
        for created in (topic, alerts_topic(name), f"{name}.dead-letters"):
            self._kafka.create_topic(created, PARTITIONS)
        self._kafka.create_topic(f"{name}.state", PARTITIONS, cleanup_policy="compact")
        environment = {"BENCH_KAFKA": self._stack.bootstrap, "BENCH_GROUP": name,
                       "BENCH_TOPIC": topic,
                       "BENCH_ADMIN": f"127.0.0.1:{self._stack.admin_ports[0]}"}
        peer = next(each for each in self.contenders(topic) if each.name == who)
        pipes = {"stdin": subprocess.PIPE} if peer.kind == "passes" else {}
        command = [str(word) for word in peer.command(name)]
        broker = process_cpu(self._broker)
        with running(command, environment, self._stack.directory / f"{name}.log", **pipes) as process:
            report = self._load(topic, name)
            cpu = sum(map(process_cpu, process_tree(process.pid)))
            used = process_cpu(self._broker) - broker
            if pipes:
                process.stdin.close()
                process.wait(60)
        assert report["received"] == report["expected"], f"{who}: alerts are missing: {report}"
        return Run(who, report["latency_ms"], cpu, used, report["late_ms"])

    def _load(self, topic, name):
        arguments = self._arguments
        command = [arguments.open_loop, "--brokers", self._stack.bootstrap, "--topic", topic,
                   "--alerts", alerts_topic(name), "--rate", arguments.rate,
                   "--seconds", arguments.warm_up + arguments.seconds,
                   "--warm-up", arguments.warm_up, "--accounts", arguments.accounts,
                   "--partitions", PARTITIONS, "--history", HISTORY, "--micros"]
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as loop:
            assert loop.stdout.readline(), "open_loop has ended"
            ends = self._kafka.end_offsets(topic)
            wait_until(lambda: self._has_judged(name, topic, ends),
                       f"{name} does not judge the history", START_SECONDS)
            text, _ = loop.communicate("\n")
        assert loop.returncode == 0, f"open_loop exits {loop.returncode}"
        return json.loads(text)

    def _has_judged(self, group, topic, ends):
        """Whether the program has started and caught up: it has committed the history."""
        committed = self._kafka.committed_offsets(group, topic)
        return all(committed.get(partition, 0) >= end for partition, end in ends.items())


def figures(runs):
    """Rows of the table; the ratios first, each of runs with the same number."""
    by_who = {}
    for run in runs:
        by_who.setdefault(run.who, []).append(run)
    ours = by_who[CARACAL]
    rows = []
    for who, least in FLOORS.items():
        if who in by_who:
            rows.append((f"{who} / Caracal: p99", "ratio",
                         [theirs.latency_ms["p99"] / our.latency_ms["p99"]
                          for our, theirs in zip(ours, by_who[who])], f">= {least}"))
    if HONEST in by_who:
        rows.append((f"Caracal / {HONEST}: CPU", "ratio",
                     [our.cpu / theirs.cpu for our, theirs in zip(ours, by_who[HONEST])], ""))
    for who, own in by_who.items():
        for quantile in own[0].latency_ms:
            rows.append((f"{who}: {quantile}", "ms", [run.latency_ms[quantile] for run in own], ""))
        rows.append((f"{who}: CPU", "s", [run.cpu for run in own], ""))
        rows.append((f"{who}: broker CPU", "s", [run.broker_cpu for run in own], ""))
        rows.append((f"{who}: sender late, p99", "ms",
                     [run.sender_late_ms["p99"] for run in own], ""))
    return [dict(zip(("name", "unit", "values", "target"), row)) for row in rows]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--caracal", required=True, help="the program")
    parser.add_argument("--honest", required=True, help="the peer in C++")
    parser.add_argument("--open-loop", required=True, help="sends payments and reads alerts")
    parser.add_argument("--prepared", type=pathlib.Path, required=True,
                        help="folder with the Java classes")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON report")
    parser.add_argument("--only", type=lambda text: text.split(","), default=FAMILIES,
                        metavar="PEER,...", help=f"some of {', '.join(FAMILIES)}")
    parser.add_argument("--rate", type=int, default=20_000, help="payments per second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--warm-up", type=int, default=20, help="seconds that are not counted")
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    arguments.passes, arguments.commit_ms = 0, COMMIT_MS
    return arguments


def main():
    arguments = parse_arguments()
    if missing_programs("peers_latency"):
        return 69
    os.environ.setdefault("STACK_JAVA_OPTIONS", JAVA_OPTIONS)
    stack = Stack()
    os.environ["STACK_CACHE"] = stack.cache
    runs = []
    with contextlib.ExitStack() as cleanup:
        scratch = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="caracal-peers-"))
        cleanup.callback(stack.stop)
        stack.start("kafka")
        bench = Bench(stack, arguments, pathlib.Path(scratch))
        names = [peer.name for peer in bench.contenders("")]
        for number in range(arguments.runs):
            for who in names if number % 2 == 0 else reversed(names):
                runs.append(bench.run(who, number))
                print(f"  {who:32} {runs[-1].latency_ms}   cpu {runs[-1].cpu:.1f} s",
                      file=sys.stderr, flush=True)
    report = {"rate": arguments.rate, "seconds": arguments.seconds, "accounts": arguments.accounts,
              "runs": [dataclasses.asdict(run) for run in runs], "figures": figures(runs)}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
