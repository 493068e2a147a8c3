#!/usr/bin/env python3
"""Measures how long partitions stand still when a member of three is killed, and when one leaves.

Starts a Kafka broker of its own on this machine and three members; open_loop sends payments at a
fixed rate and notes when each alert becomes readable. After a quiet window one member is killed
(SIGKILL), a window later another is stopped (SIGTERM). Broker, sender and members share the
processors.
"""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

BENCH = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests" / "e2e")]

from members import (  # noqa: E402
    JAVA_OPTIONS,
    metrics_of,
    metrics_text,
    missing_programs,
    running_member,
)
from harness.kafka import Kafka  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

PARTITIONS = 6
MEMBERS = 3
CONFIG = BENCH / "config" / "latency.yaml"
POLL_SECONDS = 0.02
MOVE_SECONDS = 120
GROUP_OFFSETS = "__consumer_offsets"
MOVE_BYTES_PER_SECOND = 250e6


class Member:
    """A member and its admin listener."""

    def __init__(self, process, admin):
        self.process = process
        self.admin = admin

    def metric(self, name):
        """0 while it does not answer."""
        try:
            return metrics_of(self.admin).get(name, 0)
        except OSError:
            return 0

    def partitions(self):
        """Those it owns."""
        return {int(line.partition('partition="')[2].partition('"')[0])
                for line in metrics_text(self.admin).splitlines()
                if line.startswith("caracal_kafka_committed_offset{")}


class Move:
    """One move of partitions: what was seen of it, in seconds after it began."""

    def __init__(self, kind, survivors, moved, kafka, alerts):
        self.kind = kind
        self.moved = moved
        self.began = time.monotonic()
        self.assigned = self.resolved = self.opened = None
        self._survivors = survivors
        self._kafka = kafka
        self._alerts = alerts
        self._bytes = self._read_bytes()
        self._ends = {}
        self.read_bytes = 0

    def watch(self):
        """Until the survivors have all partitions open and no old transaction holds readers up."""
        deadline = self.began + MOVE_SECONDS
        # A transaction that the member has left open holds up readers of its alerts, and those who
        # take its partitions over: the offsets it was to commit may still become valid.
        self._ends = {topic: self._kafka.end_offsets(topic)
                      for topic in (self._alerts, GROUP_OFFSETS)}
        while None in (self.assigned, self.resolved, self.opened):
            now = time.monotonic() - self.began
            assert time.monotonic() < deadline, f"{self.kind}: not over within {MOVE_SECONDS} s"
            if self.assigned is None and self._sum("assigned") == PARTITIONS:
                self.assigned = now
            if self.opened is None and self._sum("open") == PARTITIONS:
                self.opened = now
            if self.resolved is None and self._readable():
                self.resolved = now
            time.sleep(POLL_SECONDS)
        self.read_bytes = self._read_bytes() - self._bytes
        return self

    def _sum(self, what):
        return sum(member.metric(f"caracal_kafka_{what}_partitions") for member in self._survivors)

    def _read_bytes(self):
        return sum(member.metric("caracal_snapshot_bytes_read_total") for member in self._survivors)

    def _readable(self):
        for topic, ends in self._ends.items():
            stable = self._kafka.end_offsets(topic, stable=True)
            if any(stable.get(partition, 0) < end for partition, end in ends.items()):
                return False
        return True


class Bench:
    def __init__(self, stack, arguments):
        self._stack = stack
        self._arguments = arguments
        self._kafka = Kafka(stack.bootstrap)
        self._name = "recovery"
        self._alerts = f"{self._name}.alerts"

    def run(self):
        topic = f"{self._name}.transactions"
        self._kafka.create_topic(topic, PARTITIONS)
        self._create_the_others(topic)
        trace = self._stack.directory / "trace"
        with contextlib.ExitStack() as running:
            members = [self._start(running, number, topic) for number in range(MEMBERS)]
            wait_until(lambda: sum(m.metric("caracal_kafka_open_partitions")
                                   for m in members) == PARTITIONS, "no member is ready", 60)
            sender = self._send(topic, trace)
            running.callback(sender.kill)
            moves = self._disturb(members)
            report = sender.communicate(timeout=600)[0]
            assert sender.returncode == 0, f"open_loop exits {sender.returncode}"
        report = json.loads(report)
        assert report["received"] == report["expected"], f"alerts are missing: {report}"
        assert report["repeated"] == 0, f"alerts came twice: {report}"
        return figures(moves, read_trace(trace), self._arguments.window)

    def _create_the_others(self, topic):
        """As an operator does: what is read back follows from how the state topic is compacted."""
        subprocess.run([self._arguments.caracal, "init", "-c", str(CONFIG)], check=True,
                       env={**os.environ, **self._environment(topic, 0)},
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def _environment(self, topic, number):
        return {"BENCH_KAFKA": self._stack.bootstrap, "BENCH_GROUP": self._name,
                "BENCH_TOPIC": topic,
                "BENCH_ADMIN": f"127.0.0.1:{self._stack.admin_ports[number]}",
                "BENCH_DELIVERY": self._arguments.delivery}

    def _start(self, running, number, topic):
        admin = f"127.0.0.1:{self._stack.admin_ports[number]}"
        environment = self._environment(topic, number)
        log = self._stack.directory / f"member-{number}.log"
        member = running_member(self._arguments.caracal, CONFIG, environment, log)
        return Member(running.enter_context(member), admin)

    def _send(self, topic, trace):
        arguments = self._arguments
        seconds = arguments.warm_up + 3 * arguments.window
        command = [arguments.open_loop, "--brokers", self._stack.bootstrap, "--topic", topic,
                   "--alerts", self._alerts, "--rate", arguments.rate, "--seconds", seconds,
                   "--accounts", arguments.accounts, "--zipf", arguments.zipf,
                   "--partitions", PARTITIONS, "--trace", trace]
        return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE)

    def _disturb(self, members):
        """Kills the first member after the quiet window, stops the second a window later."""
        time.sleep(self._arguments.warm_up + self._arguments.window)
        killed, stopped, stays = members
        moves = [self._move("killed", signal.SIGKILL, killed, [stopped, stays])]
        time.sleep(max(0, moves[0].began + self._arguments.window - time.monotonic()))
        moves.append(self._move("stopped", signal.SIGTERM, stopped, [stays]))
        return moves

    def _move(self, kind, number, member, survivors):
        move = Move(kind, survivors, member.partitions(), self._kafka, self._alerts)
        member.process.send_signal(number)
        move.watch()
        member.process.wait(60)
        print(f"  {kind}: assigned after {move.assigned:.2f} s, open after {move.opened:.2f} s, "
              f"old transaction resolved after {move.resolved:.2f} s", file=sys.stderr, flush=True)
        return move


def read_trace(path):
    """[(partition, intended, read)], seconds of CLOCK_MONOTONIC."""
    rows = (line.split() for line in path.read_text().splitlines())
    return [(int(partition), int(intended) / 1e6, int(read) / 1e6)
            for partition, intended, read in rows]


def p99_ms(latencies):
    values = sorted(latencies)
    return 1000 * values[min(len(values) - 1, int(len(values) * 0.99))]


def longest_standstill_ms(reads, begin, end):
    """The longest time between two alerts of a partition, the border of the span being one.
    reads: {partition: [seconds]}, ascending."""
    longest = 0
    for times in reads.values():
        inside = [begin, *(time for time in times if begin <= time < end), end]
        longest = max(longest, *(b - a for a, b in itertools.pairwise(inside)))
    return 1000 * longest


def figures(moves, trace, window):
    """{name: [value]}."""
    quiet = moves[0].began
    values = {}

    def between(begin, end, partitions):
        return [(intended, read) for partition, intended, read in trace
                if begin <= intended < end and partition in partitions]

    for move in moves:
        others = set(range(PARTITIONS)) - move.moved
        before = between(quiet - window, quiet, others)
        after = between(move.began, move.began + window, others)
        # What is read before is of the member that was.
        first = min(read for _, read in between(move.began, move.began + window, move.moved)
                    if read >= move.began + move.assigned)
        late = [read - intended
                for intended, read in between(move.began, move.began + window, move.moved)]
        grace = max(move.assigned, move.resolved)
        values |= {
            f"{move.kind}: group has reassigned, s": [move.assigned],
            f"{move.kind}: old transaction resolved, s": [move.resolved],
            f"{move.kind}: first alert after both, s": [first - move.began - grace],
            f"{move.kind}: longest wait for an alert, s": [max(late)],
            f"{move.kind}: state read, MB": [move.read_bytes / 1e6],
        }
        quiet_p99 = p99_ms(read - intended for intended, read in before)
        values |= {
            f"{move.kind}: unmoved partitions, p99 before, ms": [quiet_p99],
            f"{move.kind}: unmoved partitions, p99 / before":
                [p99_ms(read - intended for intended, read in after) / quiet_p99],
        }
        reads = {partition: sorted(read for other, _, read in trace if other == partition)
                 for partition in others}
        # While the group changes, and the second in which what has moved begins to be read.
        span = move.assigned + 1
        values |= {
            f"{move.kind}: unmoved partitions, longest standstill, ms":
                [longest_standstill_ms(reads, move.began, move.began + span)],
            f"{move.kind}: unmoved partitions, the same in a quiet time, ms":
                [longest_standstill_ms(reads, quiet - span, quiet)],
        }
    allowed = 1 + moves[1].read_bytes / MOVE_BYTES_PER_SECOND
    values["stopped: longest wait / (1 s + state at 250 MB/s)"] = [
        values["stopped: longest wait for an alert, s"][0] / allowed]
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--caracal", required=True, help="the program")
    parser.add_argument("--open-loop", required=True, help="sends payments and reads alerts")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON report")
    parser.add_argument("--rate", type=int, default=100_000, help="payments per second")
    parser.add_argument("--warm-up", type=int, default=60, help="seconds that are not counted")
    parser.add_argument("--window", type=int, default=60, help="seconds between disturbances")
    parser.add_argument("--accounts", type=int, default=10_000_000)
    parser.add_argument("--zipf", type=float, default=0.8)
    parser.add_argument("--delivery", default="exactly_once",
                        choices=("exactly_once", "at_least_once"))
    arguments = parser.parse_args()
    if missing_programs("recovery_bench"):
        return 69
    os.environ.setdefault("STACK_JAVA_OPTIONS", JAVA_OPTIONS)
    stack = Stack()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(stack.stop)
        stack.start("kafka")
        values = Bench(stack, arguments).run()
    report = {"rate": arguments.rate, "accounts": arguments.accounts, "zipf": arguments.zipf,
              "delivery": arguments.delivery, "figures": values}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
