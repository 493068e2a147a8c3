#!/usr/bin/env python3
"""Measures what copies of state cost while payments come at a steady rate: processor time of the
member beside one that makes no copies, bytes written, and the size of the state topic's log.

Starts a Kafka broker of its own on this machine. One member at a time judges payments that come at
fixed times, with topics as `caracal init` makes them; once per state.max_recovery given, and once
with one so long that no copy falls due. Every account has state before the load begins.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH / "peers"), str(BENCH), str(BENCH.parent / "tests" / "e2e")]

from harness.kafka import Kafka  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from lineup import Peer  # noqa: E402
from loads import Load, Loads, group_name, topic_of  # noqa: E402
from members import JAVA_OPTIONS, end_on_term, metrics_of, missing_programs  # noqa: E402
from state_log import StateLog  # noqa: E402

CONFIG = BENCH / "config" / "latency.yaml"
NEVER = "1h"  # the longest that there is
HISTORY = 3
CPU_LIMIT = 1.05
LOG_LIMIT = 1.5
EXAMPLES = """examples:
  ./dev bench snapshots
  ./dev bench snapshots --repetitions 1 --seconds=60 --warm-up=45
  ./dev bench snapshots --max-recovery=10s --max-recovery=1s
"""


@dataclasses.dataclass
class Copies:
    """One run. CPU in ns per event, of the member and of the broker; copies_* count those that
    became durable, of which copies_changes are changes since a whole one; bytes are those of
    images, of state in memory, and of the log on disk, lz4, median and largest of a look a second;
    debt is the largest of these looks, in records, of all partitions together."""

    max_recovery: str
    cpu: float
    broker_cpu: float
    latency_ms: dict
    copies: float
    copies_changes: float
    bytes_copied_per_event: float
    state_bytes: float
    log_bytes: float
    log_bytes_max: float
    log_dirty_bytes: float
    log_active_bytes: float
    compactions: int
    debt_records: float
    budget_records: float
    failures: float
    void: bool


class CopyLoads(Loads):
    """Loads that note what the member and the state topic say at both ends of what counts."""

    def __init__(self, stack, open_loop):
        super().__init__(stack, open_loop)
        self.noted = []
        self.log = None

    def meters(self, pid):
        self.noted.append((metrics_of(self.admin), len(self.log.sizes()), self.log.runs()))
        return super().meters(pid)


class Bench:
    def __init__(self, stack, arguments):
        self._stack = stack
        self._arguments = arguments
        self._kafka = Kafka(stack.bootstrap)
        self._loads = CopyLoads(stack, arguments.open_loop)
        self._load = Load(arguments.rate, arguments.seconds, arguments.warm_up,
                          arguments.accounts, arguments.partitions, HISTORY)

    def warm_up(self):
        """A short run for the broker, whose code is compiled while it runs."""
        self.run(NEVER, "warm-up", dataclasses.replace(self._load, warm_up=5, seconds=10))

    def run(self, max_recovery, number, load=None):
        name = group_name(f"copies {max_recovery}", number)
        settings = ["-c", str(CONFIG), "--set", f"state.max_recovery={max_recovery}"]
        peer = Peer(f"max_recovery {max_recovery}", "caracal", "process",
                    lambda _: [self._arguments.caracal, "run", *settings])
        self._make_topics(name, settings)
        loads = self._loads
        loads.noted.clear()
        with StateLog(self._stack.directory / "stack" / "kafka", f"{name}.state") as log:
            loads.log = log
            loaded = loads.measure(peer, name, load or self._load, self._arguments.delivery)
        self._kafka.delete_topic(f"{name}.state")
        return self._copies(max_recovery, loaded, log)

    def _make_topics(self, name, settings):
        """As init makes them, not as Loads would."""
        topic = topic_of(name)
        self._kafka.create_topic(topic, self._load.partitions)
        # The broker answers before it knows it itself.
        wait_until(lambda: self._kafka.partition_count(topic) == self._load.partitions,
                   f"{topic} is not there")
        subprocess.run([self._arguments.caracal, "init", *settings], check=True,
                       stdin=subprocess.DEVNULL, stdout=sys.stderr,
                       env={**os.environ, **self._loads.environment(name, "exactly_once")})

    def _copies(self, max_recovery, loaded, log):
        (before, first, runs_before), (after, last, runs_after) = self._loads.noted
        sizes = log.sizes()[first:last]
        events = self._load.rate * self._load.seconds

        def grown(metric):
            return after[metric] - before[metric]

        def middle(of):
            return statistics.median(getattr(size, of) for size in sizes)

        return Copies(
            max_recovery, loaded.cpu * 1e9 / events, loaded.broker_cpu * 1e9 / events,
            loaded.latency_ms, grown("caracal_snapshot_buckets_saved_total"),
            grown("caracal_snapshot_changes_saved_total"),
            grown("caracal_snapshot_bytes_saved_total") / events, after["caracal_state_bytes"],
            middle("all"), max(size.all for size in sizes), middle("dirty"), middle("active"),
            runs_after - runs_before, after["caracal_replay_debt_records"],
            after["caracal_replay_budget_records"], grown("caracal_snapshot_failures_total"),
            loaded.void)


def run(bench, arguments):
    """All runs, in turn, the order reversed with every repetition."""
    kinds = [NEVER, *arguments.max_recovery]
    bench.warm_up()
    runs = []
    for number in range(arguments.runs):
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            runs.append(bench.run(kind, number))
            print(f"  {line(runs[-1])}", file=sys.stderr, flush=True)
    return runs


def line(each):
    return (f"max_recovery {each.max_recovery:>4}: cpu {each.cpu:6,.0f} ns/event   "
            f"copies {each.copies:6,.0f}, {each.copies_changes:6,.0f} of changes, "
            f"{each.bytes_copied_per_event:5,.0f} bytes/event   state "
            f"{each.state_bytes / 2**20:6,.0f} MiB   log {each.log_bytes / 2**20:6,.0f} MiB, "
            f"largest {each.log_bytes_max / 2**20:,.0f}   compactions {each.compactions}   "
            f"debt {each.debt_records:,.0f} of {each.budget_records:,.0f}"
            f"{'   VOID' if each.void else ''}")


def figures(runs):
    """[{name, unit, values, target, void}], values one per repetition; the ratios first."""
    by_kind = {}
    for each in runs:
        by_kind.setdefault(each.max_recovery, []).append(each)
    without = by_kind.pop(NEVER)
    rows = []
    for kind, own in by_kind.items():
        void = any(each.void for each in own)
        rows.append((f"{kind}: CPU / without copies", "ratio",
                     [ours.cpu / theirs.cpu for ours, theirs in zip(own, without)],
                     f"<= {CPU_LIMIT}", void or any(each.void for each in without)))
        rows.append((f"{kind}: log / state", "ratio",
                     [each.log_bytes / each.state_bytes for each in own], f"<= {LOG_LIMIT}", void))
        rows.append((f"{kind}: log / state, largest", "ratio",
                     [each.log_bytes_max / each.state_bytes for each in own], "", void))
    for kind, own in {"without copies": without, **by_kind}.items():
        void = any(each.void for each in own)
        for name, unit, values in (
            ("CPU", "ns/event", [each.cpu for each in own]),
            ("broker CPU", "ns/event", [each.broker_cpu for each in own]),
            ("alert p99", "ms", [each.latency_ms["p99"] for each in own]),
            ("copies, whole", "", [each.copies - each.copies_changes for each in own]),
            ("copies, changes", "", [each.copies_changes for each in own]),
            ("bytes copied", "B/event", [each.bytes_copied_per_event for each in own]),
            ("state", "MiB", [each.state_bytes / 2**20 for each in own]),
            ("log on disk", "MiB", [each.log_bytes / 2**20 for each in own]),
            ("log not compacted yet", "MiB", [each.log_dirty_bytes / 2**20 for each in own]),
            ("log in active segments", "MiB", [each.log_active_bytes / 2**20 for each in own]),
            ("compactions", "", [each.compactions for each in own]),
            ("replay debt / budget", "ratio",
             [each.debt_records / each.budget_records for each in own]),
        ):
            rows.append((f"{kind}: {name}", unit, values, "", void))
    return [dict(zip(("name", "unit", "values", "target", "void"), row)) for row in rows]


def parse_arguments():
    parser = argparse.ArgumentParser(
        usage="./dev bench snapshots [--repetitions N] [ARGUMENTS]", description=__doc__,
        epilog=EXAMPLES,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=80))
    parser.add_argument("--max-recovery", action="append", metavar="TIME",
                        help="state.max_recovery to measure; may be repeated (10s)")
    parser.add_argument("--rate", type=int, default=40_000, help="payments per second (40000)")
    parser.add_argument("--seconds", type=int, default=240, help="that count (240)")
    parser.add_argument("--warm-up", type=int, default=60, help="seconds before them (60)")
    parser.add_argument("--accounts", type=int, default=1_000_000, help="that pay (1000000)")
    parser.add_argument("--partitions", type=int, default=12, help="of the topics (12)")
    parser.add_argument("--delivery", default="exactly_once",
                        choices=("exactly_once", "at_least_once"))
    # What ./dev bench adds.
    parser.add_argument("--runs", type=int, default=3, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    for program in ("--caracal", "--open-loop"):
        parser.add_argument(program, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.max_recovery = arguments.max_recovery or ["10s"]
    if NEVER in arguments.max_recovery:
        parser.error(f"--max-recovery={NEVER} is what the others are compared with")
    return arguments


def main():
    arguments = parse_arguments()
    if missing_programs("snapshots_bench"):
        return 69
    end_on_term()
    os.environ.setdefault("STACK_JAVA_OPTIONS", JAVA_OPTIONS)
    stack = Stack()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(stack.stop)
        stack.start("kafka")
        runs = run(Bench(stack, arguments), arguments)
    report = {"rate": arguments.rate, "seconds": arguments.seconds, "accounts": arguments.accounts,
              "partitions": arguments.partitions, "runs": [dataclasses.asdict(each) for each in runs],
              "figures": figures(runs)}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
