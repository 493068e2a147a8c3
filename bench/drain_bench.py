#!/usr/bin/env python3
"""Drains a preloaded topic with one member of Caracal, end to end, and with a bare consumer.

Starts a Kafka broker of its own on this machine, fills a topic with generated card payments, then
lets `caracal run` judge it from the beginning until its committed offsets have reached the end, and
bare_consumer read it and do nothing; in turn, several times. The broker shares the processors with
whoever drains: the two rates are comparable with each other, not with those of a cluster.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

BENCH = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / "tests" / "e2e"))

from harness.kafka import Kafka  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

TOPIC = "bank.public.transactions"
PARTITIONS = 6
# A JVM as a server runs it, not one that starts fast.
JAVA_OPTIONS = "-Xms1g -Xmx1g -XX:+UseSerialGC"
DRAIN_SECONDS = 300
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Drain:
    """One drain: who, how long, at what cost. CPU in seconds, RSS in KiB."""

    who: str
    seconds: float
    cpu: float
    broker_cpu: float
    other_cpu: float
    steal_share: float
    peak_rss_kib: int


def process_cpu(pid):
    """Seconds a process has computed so far, its threads together."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_cpu():
    """(busy, stolen, all) seconds of all processors since the machine has started."""
    fields = [int(field) / TICKS for field in
              pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle - fields[7], fields[7], sum(fields)


def peak_rss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no VmHWM")


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

    def drain_bare(self, name):
        """bare_consumer; returns the Drain and what it has printed."""
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

    def drain_member(self, name):
        """One `caracal run` from an empty group to committed ends; returns the Drain and metrics."""
        for topic in (f"{name}.alerts", f"{name}.dead-letters"):
            self._kafka.create_topic(topic, PARTITIONS)
        self._kafka.create_topic(f"{name}.state", PARTITIONS, cleanup_policy="compact")
        admin = f"127.0.0.1:{self._stack.admin_ports[0]}"
        environment = {"BENCH_KAFKA": self._stack.bootstrap, "BENCH_GROUP": name,
                       "BENCH_TOPIC": TOPIC, "BENCH_ADMIN": admin}
        log = self._stack.directory / f"{name}.log"
        before = self._meters()
        start = time.monotonic()
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [self._arguments.caracal, "run", "-c", str(BENCH / "config" / "caracal.yaml")],
                env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output)
        try:
            wait_until(lambda: self._committed(process, name, log), f"see {log}", DRAIN_SECONDS)
            seconds = time.monotonic() - start
            used = self._used(before)
            cpu, rss = process_cpu(process.pid), peak_rss_kib(process.pid)
            with urllib.request.urlopen(f"http://{admin}/metrics", timeout=10) as answer:
                metrics = answer.read().decode()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, f"the member exits {process.returncode}: see {log}"
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return self._result("member", seconds, cpu, used, rss), totals(metrics)

    def _committed(self, process, group, log):
        assert process.poll() is None, f"the member has ended: see {log}"
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


def totals(metrics):
    """{metric: sum over its labels} of the text format."""
    sums = {}
    for line in metrics.splitlines():
        if line and line[0] != "#":
            name, value = line.rsplit(" ", 1)
            name = name.partition("{")[0]
            sums[name] = sums.get(name, 0.0) + float(value)
    return sums


def run(bench, arguments):
    """All drains; returns the report."""
    records = bench.fill()
    assert records == arguments.records, f"the topic has {records} records"
    bench.drain_bare("warm-up")
    drains, alerts, size = [], set(), 0
    for number in range(arguments.runs):
        order = [bench.drain_member, bench.drain_bare]
        if number % 2:
            order.reverse()
        for drain in order:
            result, detail = drain(f"{drain.__name__.replace('_', '-')}-{number}")
            if result.who == "member":
                judged = detail["caracal_transactions_evaluated_total"]
                assert judged == records, f"{judged} of {records} transactions judged"
                alerts.add(detail["caracal_alerts_total"])
            else:
                assert detail["records"] == records, f"{detail['records']} of {records} read"
                size = detail["bytes"] / records
            drains.append(result)
            print(f"  {result.who:7} {records / result.seconds:10,.0f} events/s   "
                  f"cpu {result.cpu:5.1f} s   broker {result.broker_cpu:5.1f} s   "
                  f"others {result.other_cpu:4.1f} s   peak RSS {result.peak_rss_kib // 1024:,} MiB",
                  file=sys.stderr, flush=True)
    assert len(alerts) == 1, f"the runs disagree on the number of alerts: {sorted(alerts)}"
    return {
        "records": records,
        "record_bytes": size,
        "alerts": alerts.pop(),
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
    values["member / bare"] = [rate / bare for rate in values["member events/s"]]
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--caracal", required=True, help="the program")
    parser.add_argument("--bare-consumer", required=True, help="the reference program")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON report")
    parser.add_argument("--records", type=int, default=6_000_000)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--zipf", type=float, default=0.8)
    parser.add_argument("--format", default="bare", choices=("bare", "wrapped", "flat"))
    parser.add_argument("--compression", default="lz4", choices=("none", "lz4", "zstd"))
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    for program in ("java", "mvn", "kcat", "psql", "curl"):
        if not shutil.which(program):
            print(f"drain_bench needs the program {program}", file=sys.stderr)
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
