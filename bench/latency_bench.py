#!/usr/bin/env python3
"""Measures how long an alert takes, from the intended time of its payment until a consumer of
committed records can read it, at a fixed rate that does not wait for anybody.

Starts a Kafka broker of its own on this machine and one member; open_loop sends the payments and
reads the alerts on one clock. Broker, sender, member and reader share the processors.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests" / "e2e")]

from members import (  # noqa: E402
    JAVA_OPTIONS,
    metrics_of,
    missing_programs,
    peak_rss_kib,
    process_cpu,
    running_member,
)
from harness.kafka import Kafka  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

PARTITIONS = 12
CONFIG = BENCH / "config" / "latency.yaml"


@dataclasses.dataclass
class Run:
    """One run: milliseconds, CPU-seconds per second, commits per second."""

    delivery: str
    latency_ms: dict
    late_ms: dict
    commits_per_second: float
    cpu: float
    broker_cpu: float
    rss_mib: float
    snapshot_mib: float


class Bench:
    def __init__(self, stack, arguments):
        self._stack = stack
        self._arguments = arguments
        self._kafka = Kafka(stack.bootstrap)
        pid_file = stack.directory / "stack" / "kafka.pid"
        self._broker = int(pid_file.read_text().split()[0])

    def run(self, delivery, number):
        name = f"latency-{delivery.replace('_', '-')}-{number}"
        topic = f"{name}.transactions"
        for created in (topic, f"{name}.alerts", f"{name}.dead-letters"):
            self._kafka.create_topic(created, PARTITIONS)
        self._kafka.create_topic(f"{name}.state", PARTITIONS, cleanup_policy="compact")
        admin = f"127.0.0.1:{self._stack.admin_ports[0]}"
        environment = {"BENCH_KAFKA": self._stack.bootstrap, "BENCH_GROUP": name,
                       "BENCH_TOPIC": topic, "BENCH_ADMIN": admin, "BENCH_DELIVERY": delivery}
        log = self._stack.directory / f"{name}.log"
        with running_member(self._arguments.caracal, CONFIG, environment, log) as process:
            wait_until(lambda: self._open(admin), f"see {log}", 60)
            return self._measure(delivery, topic, name, admin, process)

    @staticmethod
    def _open(admin):
        try:
            return metrics_of(admin).get("caracal_kafka_open_partitions") == PARTITIONS
        except OSError:
            return False

    def _measure(self, delivery, topic, name, admin, process):
        arguments = self._arguments
        command = [arguments.open_loop, "--brokers", self._stack.bootstrap, "--topic", topic,
                   "--alerts", f"{name}.alerts", "--rate", arguments.rate,
                   "--seconds", arguments.seconds, "--warm-up", arguments.warm_up,
                   "--accounts", arguments.accounts, "--partitions", PARTITIONS]
        before = metrics_of(admin)
        cpu, broker = process_cpu(process.pid), process_cpu(self._broker)
        done = subprocess.run([str(word) for word in command], check=True, capture_output=True,
                              stdin=subprocess.DEVNULL)
        report = json.loads(done.stdout)
        after = metrics_of(admin)
        assert report["received"] == report["expected"], f"alerts are missing: {report}"
        assert report["repeated"] == 0, f"alerts came twice: {report}"

        def per_second(used):
            return used / arguments.seconds

        def grown(metric):
            return after[metric] - before[metric]

        return Run(delivery, report["latency_ms"], report["late_ms"],
                   per_second(grown("caracal_epochs_committed_total")),
                   per_second(process_cpu(process.pid) - cpu),
                   per_second(process_cpu(self._broker) - broker),
                   peak_rss_kib(process.pid) / 1024,
                   grown("caracal_snapshot_bytes_saved_total") / 2**20)


def figures(runs):
    """{name: values, one per run}."""
    values = {}
    for run in runs:
        of = values.setdefault
        for quantile, value in run.latency_ms.items():
            of(f"{run.delivery}: {quantile} ms", []).append(value)
        of(f"{run.delivery}: commits/s", []).append(run.commits_per_second)
        of(f"{run.delivery}: CPU s/s", []).append(run.cpu)
        of(f"{run.delivery}: broker CPU s/s", []).append(run.broker_cpu)
        of(f"{run.delivery}: peak RSS MiB", []).append(run.rss_mib)
        of(f"{run.delivery}: copies of state MiB", []).append(run.snapshot_mib)
        of(f"{run.delivery}: sender late, p99 ms", []).append(run.late_ms["p99"])
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--caracal", required=True, help="the program")
    parser.add_argument("--open-loop", required=True, help="sends payments and reads alerts")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON report")
    parser.add_argument("--rate", type=int, default=20_000, help="payments per second")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--warm-up", type=int, default=60, help="seconds that are not counted")
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--delivery", action="append", choices=("exactly_once", "at_least_once"))
    arguments = parser.parse_args()
    if missing_programs("latency_bench"):
        return 69
    os.environ.setdefault("STACK_JAVA_OPTIONS", JAVA_OPTIONS)
    stack = Stack()
    runs = []
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(stack.stop)
        stack.start("kafka")
        bench = Bench(stack, arguments)
        for number in range(arguments.runs):
            for delivery in arguments.delivery or ("exactly_once", "at_least_once"):
                run = bench.run(delivery, number)
                runs.append(run)
                print(f"  {delivery:14} {run.latency_ms}   late {run.late_ms['p99']} ms",
                      file=sys.stderr, flush=True)
    report = {"rate": arguments.rate, "seconds": arguments.seconds, "accounts": arguments.accounts,
              "runs": [dataclasses.asdict(run) for run in runs], "figures": figures(runs)}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
