#!/usr/bin/env python3
"""Drains a preloaded topic, end to end, with one member of Caracal in either delivery mode, with two
members, and with a bare consumer.

Starts a Kafka broker of its own on this machine, fills a topic with generated card payments, then
lets `caracal run` judge it from the beginning until its committed offsets have reached the end, and
bare_consumer read it and do nothing; in turn, several times. The broker shares the processors with
whoever drains: the two rates are comparable with each other, not with those of a cluster.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

BENCH = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests" / "e2e")]

from members import (  # noqa: E402
    JAVA_OPTIONS,
    machine_cpu,
    metrics_of,
    missing_programs,
    peak_rss_kib,
    process_cpu,
    running_member,
)
from commit_log import read_reached_ms  # noqa: E402
from harness.kafka import Kafka  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

TOPIC = "bank.public.transactions"
PARTITIONS = 6
# name: (delivery mode, members of the group)
GROUPS = {
    "at_least_once": ("at_least_once", 1),
    "exactly_once": ("exactly_once", 1),
    "exactly_once, two members": ("exactly_once", 2),
}
DRAIN_SECONDS = 300  # per ten million records, and at least
POLL_SECONDS = 0.25


@dataclasses.dataclass
class Drain:
    """One drain: who, how long, at what cost. CPU in seconds, RSS in KiB, members together."""

    who: str
    seconds: float
    cpu: float
    broker_cpu: float
    other_cpu: float
    steal_share: float
    peak_rss_kib: int


class Bench:
    """The broker, the filled topic, and the drains."""

    def __init__(self, stack, arguments):
        self._stack = stack
        self._arguments = arguments
        self._kafka = Kafka(stack.bootstrap)
        pid_file = stack.directory / "stack" / "kafka.pid"
        self._broker = int(pid_file.read_text().split()[0])
        self._ends = {}

    def fill(self):
        """Makes the topic; returns its records."""
        # Its records are as old as their events: nothing of it may expire.
        self._kafka.create_topic(TOPIC, PARTITIONS, retention_ms=-1)
        command = [self._arguments.caracal, "generate", "--count", str(self._arguments.records),
                   "--accounts", str(self._arguments.accounts),
                   "--zipf", str(self._arguments.zipf),
                   # An account pays every 100 s: windows of 60 s hold more than the one event.
                   "--event-rate", str(self._arguments.accounts / 100), "--steady",
                   "--format", self._arguments.format, "--record-time", "event",
                   "--brokers", self._stack.bootstrap, "--topic", TOPIC, "--no-progress",
                   "--kafka-property", f"compression.codec={self._arguments.compression}"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        self._ends = self._kafka.end_offsets(TOPIC)
        return sum(self._ends.values())

    def drain_bare(self, number):
        """bare_consumer; returns the Drain and what it has printed."""
        name = f"bare-{number}"
        command = [self._arguments.bare_consumer, self._stack.bootstrap, TOPIC, name]
        before = self._meters()
        start = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            line = process.stdout.readline()
            seconds = time.monotonic() - start
            used = self._used(before)
            assert process.wait() == 0, f"bare_consumer exits {process.returncode}"
        report = json.loads(line)
        drain = self._result("bare", seconds, report["cpu_seconds"], used, report["peak_rss_kib"])
        return drain, report

    def drain_group(self, who, number):
        """`caracal run`, once per member, from an empty group to committed ends; returns the Drain
        and a digest of the alerts."""
        delivery, members = GROUPS[who]
        name = f"{delivery.replace('_', '-')}-{members}-{number}"
        for topic in (f"{name}.alerts", f"{name}.dead-letters"):
            self._kafka.create_topic(topic, PARTITIONS)
        self._kafka.create_topic(f"{name}.state", PARTITIONS, cleanup_policy="compact")
        before = self._meters()
        start = time.time()  # the clock of the broker's log
        with contextlib.ExitStack() as running:
            processes = [running.enter_context(self._member(name, delivery, i))
                         for i in range(members)]
            wait_until(lambda: self._committed(processes, name),
                       f"see {self._stack.directory}/{name}.*.log", self._longest_seconds(),
                       POLL_SECONDS)
            seen = time.time()
            used = self._used(before)
            cpu = sum(process_cpu(process.pid) for process in processes)
            rss = sum(peak_rss_kib(process.pid) for process in processes)
            judged = sum(metrics_of(self._admin(i))["caracal_transactions_evaluated_total"]
                         for i in range(members))
        # Two members judge again what one had not committed when the other one came.
        records = sum(self._ends.values())
        assert judged == records or members > 1 and judged > records, f"{judged} judged"
        end = (read_reached_ms(self._kafka, name, TOPIC, self._ends) or 0) / 1000
        assert start < end <= seen, f"{name}: began {start}, committed {end}, seen {seen}"
        alerts = [record.value for record in self._kafka.read(f"{name}.alerts")]
        return self._result(who, end - start, cpu, used, rss), digest_of_alerts(alerts, delivery)

    def _longest_seconds(self):
        return DRAIN_SECONDS * max(1.0, sum(self._ends.values()) / 10_000_000)

    def _admin(self, member):
        return f"127.0.0.1:{self._stack.admin_ports[member]}"

    def _member(self, group, delivery, number):
        environment = {"BENCH_KAFKA": self._stack.bootstrap, "BENCH_GROUP": group,
                       "BENCH_TOPIC": TOPIC, "BENCH_ADMIN": self._admin(number),
                       "BENCH_DELIVERY": delivery}
        log = self._stack.directory / f"{group}.{number}.log"
        return running_member(self._arguments.caracal, BENCH / "config" / "caracal.yaml",
                              environment, log)

    def _committed(self, processes, group):
        assert all(process.poll() is None for process in processes), "a member has ended"
        committed = self._kafka.committed_offsets(group, TOPIC)
        return all(committed.get(partition, 0) >= end for partition, end in self._ends.items())

    def _meters(self):
        return process_cpu(self._broker), *machine_cpu()

    def _used(self, before):
        return [now - then for now, then in zip(self._meters(), before)]

    @staticmethod
    def _result(who, seconds, cpu, used, rss):
        broker, busy, steal, everything = used
        return Drain(who, seconds, cpu, broker, max(0.0, busy - broker - cpu), steal / everything,
                     rss)


def digest_of_alerts(alerts, delivery):
    """(how many, hash) of alerts in any order: with exactly_once each as often as it is there, with
    at_least_once, where some may come again, each once. alerts: their bytes."""
    alerts = sorted(alerts if delivery == "exactly_once" else set(alerts))
    return len(alerts), hashlib.sha256(b"\n".join(alerts)).hexdigest()


def disagreement(alerts):
    """How runs disagree, in a sentence; empty = they do not. alerts: {run: digest_of_alerts}."""
    if len(set(alerts.values())) == 1:
        return ""
    runs = ", ".join(f"{run}: {count} ({digest[:8]})" for run, (count, digest) in alerts.items())
    return f"the runs disagree on the alerts: {runs}"


def run(bench, arguments):
    """All drains; returns the report."""
    records = bench.fill()
    assert records == arguments.records, f"the topic has {records} records"
    bench.drain_bare("warm-up")
    _, digest = bench.drain_group("exactly_once", "warm-up")
    drains, alerts, size = [], {"warm-up": digest}, 0
    for number in range(arguments.runs):
        order = [*GROUPS, "bare"]
        if number % 2:
            order.reverse()
        for who in order:
            if who == "bare":
                result, detail = bench.drain_bare(number)
                assert detail["records"] == records, f"{detail['records']} of {records} read"
                size = detail["bytes"] / records
            else:
                result, digest = bench.drain_group(who, number)
                alerts[f"{who} {number}"] = digest
            drains.append(result)
            print(f"  {result.who:25} {records / result.seconds:10,.0f} events/s   "
                  f"cpu {result.cpu:5.1f} s   broker {result.broker_cpu:5.1f} s   "
                  f"others {result.other_cpu:4.1f} s   peak RSS {result.peak_rss_kib // 1024:,} MiB",
                  file=sys.stderr, flush=True)
    void = disagreement(alerts)
    if void:
        print(f"drain_bench: {void}", file=sys.stderr)
    return {
        "records": records,
        "record_bytes": size,
        "alerts": alerts["warm-up"][0],
        "void": void,
        "compression": arguments.compression,
        "format": arguments.format,
        "accounts": arguments.accounts,
        "zipf": arguments.zipf,
        "drains": [dataclasses.asdict(drain) for drain in drains],
        "figures": figures(records, drains),
    }


def figures(records, drains):
    """{name: values, one per run}."""
    values = {}
    for drain in drains:
        of = values.setdefault
        of(f"{drain.who} events/s", []).append(records / drain.seconds)
        of(f"{drain.who} CPU ns/event", []).append(drain.cpu * 1e9 / records)
        of(f"broker CPU ns/event, {drain.who}", []).append(drain.broker_cpu * 1e9 / records)
        of(f"{drain.who} peak RSS MiB", []).append(drain.peak_rss_kib / 1024)
    bare = statistics.median(values["bare events/s"])
    bare_cpu = statistics.median(values["bare CPU ns/event"])
    for who in GROUPS:
        values[f"{who} / bare"] = [rate / bare for rate in values[f"{who} events/s"]]
        values[f"bare CPU / {who}"] = [bare_cpu / cpu for cpu in values[f"{who} CPU ns/event"]]
    repeated = statistics.median(values["at_least_once events/s"])
    values["exactly_once / at_least_once"] = [
        rate / repeated for rate in values["exactly_once events/s"]]
    one = statistics.median(values["exactly_once CPU ns/event"])
    values["events per CPU-second, two members / one"] = [
        one / cpu for cpu in values["exactly_once, two members CPU ns/event"]]
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--caracal", required=True, help="the program")
    parser.add_argument("--bare-consumer", required=True, help="the reference program")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON report")
    parser.add_argument("--records", type=int, default=12_000_000, help="of the topic (12000000)")
    parser.add_argument("--accounts", type=int, default=1_000_000, help="that pay (1000000)")
    parser.add_argument("--zipf", type=float, default=0.8)
    parser.add_argument("--format", default="bare", choices=("bare", "wrapped", "flat"))
    parser.add_argument("--compression", default="lz4", choices=("none", "lz4", "zstd"))
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if missing_programs("drain_bench"):
        return 69
    os.environ.setdefault("STACK_JAVA_OPTIONS", JAVA_OPTIONS)
    stack = Stack()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(stack.stop)
        stack.start("kafka")
        report = run(Bench(stack, arguments), arguments)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
