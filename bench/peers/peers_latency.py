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
import sys
import tempfile

PEERS = pathlib.Path(__file__).resolve().parent
BENCH = PEERS.parent
sys.path[:0] = [str(PEERS), str(BENCH), str(BENCH.parent / "tests" / "e2e")]

from harness.stack import Stack  # noqa: E402
from lineup import (  # noqa: E402
    CARACAL,
    FLINK_EXACTLY_ONCE,
    HONEST,
    STREAMS_EXACTLY_ONCE,
    Lineup,
    Peer,
)
from loads import Load, Loads, group_name, topic_of  # noqa: E402
from members import JAVA_OPTIONS, end_on_term, missing_programs  # noqa: E402

PARTITIONS = 12
FAMILIES = ("honest", "streams", "flink")
CONFIG = PEERS / "reference.yaml"
HISTORY = 3  # what the profile wants before it judges
COMMIT_MS = "100"
# Least ratios of a peer's 99th percentile to Caracal's.
FLOORS = {STREAMS_EXACTLY_ONCE: 3, FLINK_EXACTLY_ONCE: 8}


class Bench:
    def __init__(self, stack, arguments, scratch):
        self._stack = stack
        self._arguments = arguments
        self._scratch = scratch
        self._loads = Loads(stack, arguments.open_loop)
        self._load = Load(arguments.rate, arguments.seconds, arguments.warm_up, arguments.accounts,
                          PARTITIONS, HISTORY)

    def contenders(self, topic):
        ours = Peer(CARACAL, "caracal", "process",
                    lambda _: [self._arguments.caracal, "run", "-c", str(CONFIG)])
        lineup = Lineup(self._stack.bootstrap, topic, self._arguments, self._scratch)
        return [ours, *(peer for peer in lineup.peers()
                        if peer.name in (HONEST, STREAMS_EXACTLY_ONCE, FLINK_EXACTLY_ONCE))]

    def run(self, who, number):
        """One program under load, on topics of its own."""
        name = group_name(who, number)
        peer = next(each for each in self.contenders(topic_of(name)) if each.name == who)
        run = self._loads.measure(peer, name, self._load)
        assert run.alerts == run.alerts_expected, f"alerts are missing: {run}"
        return run


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
                     [our.cpu_from_start / theirs.cpu_from_start
                      for our, theirs in zip(ours, by_who[HONEST])], ""))
    for who, own in by_who.items():
        for quantile in own[0].latency_ms:
            rows.append((f"{who}: {quantile}", "ms", [run.latency_ms[quantile] for run in own], ""))
        rows.append((f"{who}: CPU", "s", [run.cpu_from_start for run in own], ""))
        rows.append((f"{who}: broker CPU", "s",
                     [run.broker_cpu_from_start for run in own], ""))
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
    end_on_term()
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
                print(f"  {who:32} {runs[-1].latency_ms}   cpu {runs[-1].cpu_from_start:.1f} s",
                      file=sys.stderr, flush=True)
    report = {"rate": arguments.rate, "seconds": arguments.seconds, "accounts": arguments.accounts,
              "runs": [dataclasses.asdict(run) for run in runs], "figures": figures(runs)}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
