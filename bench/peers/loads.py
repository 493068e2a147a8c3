"""Puts a program under payments that come at fixed times, and measures it: how long an alert takes,
processor time, wake-ups.

open_loop sends the payments and reads the alerts as a consumer of committed records. Broker,
sender, program and reader share the processors. Every account has a history before the load begins,
which the program must have judged: it runs, and its state is warm.
"""

import dataclasses
import json
import os
import subprocess

from drains import ended, process_tree, running
from harness.kafka import Kafka
from harness.waiting import WaitTimeout, wait_until
from lineup import alerts_topic
from members import metrics_of, process_cpu, wake_ups

START_SECONDS = 300
END_SECONDS = 30


@dataclasses.dataclass
class Load:
    """What open_loop sends: `rate` payments a second for warm_up + seconds, of which the last
    `seconds` count, after `history` payments of each account."""

    rate: int
    seconds: int
    warm_up: int
    accounts: int
    partitions: int
    history: int


@dataclasses.dataclass
class Loaded:
    """One program under one load.

    CPU in seconds, of the program with its children and of the broker; these and wake_ups count
    from the end of the warm-up until the last alert has been read, cpu_from_start since the program
    has been started. sent and judged are records, the history and the warm-up included.
    """

    who: str
    rate: int
    latency_ms: dict
    sender_late_ms: dict
    cpu: float
    cpu_from_start: float
    broker_cpu: float
    broker_cpu_from_start: float
    wake_ups: int
    sent: int
    judged: int
    alerts_expected: int
    alerts: int

    @property
    def void(self):
        """Whether something is missing, or was judged twice."""
        return self.sent != self.judged or self.alerts_expected != self.alerts


class NotSentError(AssertionError):
    """open_loop has not sent everything: its buffers are full, or Kafka does not answer."""


def topic_of(name):
    return f"{name}.transactions"


def group_name(who, number):
    """A name for the consumer group and the topics of one run."""
    text = f"load {who} {number}".lower()
    return "-".join("".join(each if each.isalnum() else " " for each in text).split())


class Loads:
    """Runs one program after the other on the broker of a started Stack, on topics of their own."""

    def __init__(self, stack, open_loop):
        self._stack = stack
        self._open_loop = open_loop
        self._kafka = Kafka(stack.bootstrap)
        pid_file = stack.directory / "stack" / "kafka.pid"
        self._broker = int(pid_file.read_text().split()[0])
        self.admin = f"127.0.0.1:{stack.admin_ports[0]}"

    def measure(self, peer, name, load, delivery="exactly_once"):
        """peer: a lineup.Peer that reads topic_of(name); delivery: for Caracal."""
        self._make_topics(name, load.partitions)
        pipes = {"stdin": subprocess.PIPE} if peer.kind == "passes" else {}
        command = [str(word) for word in peer.command(name)]
        log = self._stack.directory / f"{name}.log"
        before = process_cpu(self._broker)
        with running(command, self.environment(name, delivery), log, **pipes) as process:
            report, used, since_start = self._run(peer, name, load, process, log)
            judged = self._judged(peer, name)
            if pipes:
                process.stdin.close()
                process.wait(60)
        # Some of them fill a disk together.
        self._kafka.delete_topic(topic_of(name))
        cpu, broker_cpu, woken = used
        return Loaded(peer.name, load.rate, report["latency_ms"], report["late_ms"], cpu,
                      since_start[0], broker_cpu, since_start[1] - before, woken,
                      load.history * load.accounts + report["payments"], judged,
                      report["expected"], report["received"])

    def environment(self, name, delivery):
        """What a configuration of Caracal takes from its environment."""
        return {"BENCH_KAFKA": self._stack.bootstrap, "BENCH_GROUP": name,
                "BENCH_TOPIC": topic_of(name), "BENCH_ADMIN": self.admin,
                "BENCH_DELIVERY": delivery}

    def _make_topics(self, name, partitions):
        topics = [topic_of(name), alerts_topic(name), f"{name}.dead-letters"]
        for created in topics:
            self._kafka.create_topic(created, partitions)
        self._kafka.create_topic(f"{name}.state", partitions, cleanup_policy="compact")
        # The broker answers before it knows them itself.
        for created in (*topics, f"{name}.state"):
            wait_until(lambda topic=created: self._kafka.partition_count(topic) == partitions,
                       f"{created} is not there")

    def _run(self, peer, name, load, process, log):
        """(open_loop's report, what has been used since the warm-up, the meters at the end)."""
        command = [self._open_loop, "--brokers", self._stack.bootstrap, "--topic", topic_of(name),
                   "--rate", load.rate, "--seconds", load.warm_up + load.seconds,
                   "--warm-up", load.warm_up, "--accounts", load.accounts,
                   "--partitions", load.partitions, "--history", load.history, "--micros"]
        if peer.raises_alerts:
            command += ["--alerts", alerts_topic(name)]
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as loop:
            try:
                assert loop.stdout.readline(), "open_loop has ended"
                ends = self._kafka.end_offsets(topic_of(name))
                wait_until(lambda: self._has_judged(name, ends, process, log),
                           f"{name} does not judge the history: see {log}", START_SECONDS)
                loop.stdin.write("\n")
                loop.stdin.close()
                assert loop.stdout.readline(), "open_loop has ended"
                before = self.meters(process.pid)
                text = loop.stdout.read()
                after = self.meters(process.pid)
            finally:
                loop.kill()
        if not text:
            raise NotSentError(f"{name}: open_loop has ended without a report")
        return json.loads(text), [now - then for now, then in zip(after, before)], after

    def _has_judged(self, name, ends, process, log):
        assert process.poll() is None, ended(log)
        return self._committed(name) >= sum(ends.values())

    def meters(self, pid):
        """What the program and the broker have used so far; read at both ends of what counts."""
        tree = process_tree(pid)
        return (sum(map(process_cpu, tree)), process_cpu(self._broker), sum(map(wake_ups, tree)))

    def _committed(self, name):
        return sum(self._kafka.committed_offsets(name, topic_of(name)).values())

    def _judged(self, peer, name):
        """Records that the program has judged: those it has committed, and Caracal counts them."""
        topic = topic_of(name)
        try:
            wait_until(lambda: self._committed(name) >= sum(
                self._kafka.end_offsets(topic).values()), "", END_SECONDS)
        except WaitTimeout:
            return self._committed(name)
        if peer.family == "caracal":
            return int(metrics_of(self.admin)["caracal_transactions_evaluated_total"])
        return self._committed(name)
