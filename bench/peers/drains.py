"""Lets a program drain the topic and measures it: wall clock, processor time, memory.

A program has drained the topic when the committed offsets of its group have reached the ends, which
all of them commit after their alerts are durable.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import time

from harness.waiting import wait_until
from members import peak_rss_kib, process_cpu

DRAIN_SECONDS = 600
POLL_SECONDS = 0.05


@dataclasses.dataclass
class Drain:
    """One drain. Seconds; CPU of the program with its children, and of the broker meanwhile.

    cold_seconds: of a program that was measured warm: its first drain, the start included.
    """

    who: str
    seconds: float
    cpu: float
    broker_cpu: float
    peak_rss_kib: int
    cold_seconds: float | None = None


@dataclasses.dataclass
class Topic:
    """The filled topic, its broker's process, and where the programs' logs go."""

    kafka: object
    name: str
    ends: dict
    broker: int
    logs: pathlib.Path

    def records(self):
        return sum(self.ends.values())

    def is_drained(self, group):
        committed = self.kafka.committed_offsets(group, self.name)
        return all(committed.get(partition, 0) >= end for partition, end in self.ends.items())


def process_tree(pid):
    """A process and those that it has started."""
    children = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    tree = [pid]
    for each in tree:
        tree.extend(children.get(each, ()))
    return tree


@contextlib.contextmanager
def running(command, environment, log, **pipes):
    """The process while the block runs; afterwards it is gone. It must have ended well by then, or
    do so after TERM."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=output,
                                   **{"stdin": subprocess.DEVNULL, "stdout": output, **pipes})
    try:
        yield process
        process.terminate()
        code = process.wait(60)
        assert code == 0, f"{command[0]} exits {code}: see {log}"
    finally:
        for pid in process_tree(process.pid) if process.poll() is None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        process.wait()


def drain_by_process(topic, who, group, command, environment=None):
    """A program that commits to `group` and runs until TERM, measured from its start."""
    log = topic.logs / f"{group}.log"
    broker = process_cpu(topic.broker)
    start = time.monotonic()
    with running(command, environment or {}, log) as process:
        wait_until(lambda: _is_done(topic, group, process, log), f"see {log}", DRAIN_SECONDS,
                   POLL_SECONDS)
        seconds = time.monotonic() - start
        tree = process_tree(process.pid)
        return Drain(who, seconds, sum(map(process_cpu, tree)), process_cpu(topic.broker) - broker,
                     sum(map(peak_rss_kib, tree)))


def ended(log):
    """What a program that has ended by itself has said last."""
    tail = log.read_text(errors="replace").splitlines()[-15:]
    return "\n".join(["the program has ended; the end of its output:", *tail])


def _is_done(topic, group, process, log):
    assert process.poll() is None, ended(log)
    return topic.is_drained(group)


def drain_by_reader(topic, who, command):
    """A program that reads to the ends, prints what it has used (bare_consumer), and ends."""
    broker = process_cpu(topic.broker)
    start = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        report = json.loads(process.stdout.readline())
        seconds = time.monotonic() - start
        used = process_cpu(topic.broker) - broker
    assert process.returncode == 0, f"{command[0]} exits {process.returncode}"
    assert report["records"] == topic.records(), f"{command[0]} has read {report['records']}"
    return Drain(who, seconds, report["cpu_seconds"], used, report["peak_rss_kib"])


def drain_by_passes(topic, who, group, command, passes):
    """A program on a JVM that drains the topic `passes` times, under names of its own, and measures
    each pass by itself from the first record on. The last one counts, when the code is compiled.

    It prints {"begin": group} before a pass and {"seconds", "cpu_seconds"} after it, and ends with
    its standard input.
    """
    log = topic.logs / f"{group}.log"
    start = time.monotonic()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with running(command, {}, log, **pipes) as process:
        cold = None
        for _ in range(passes):
            _line(process, log)
            broker = process_cpu(topic.broker)
            report = _line(process, log)
            used = process_cpu(topic.broker) - broker
            cold = cold or time.monotonic() - start
        drain = Drain(who, report["seconds"], report["cpu_seconds"], used,
                      peak_rss_kib(process.pid), cold)
        process.stdin.close()
        process.wait(60)
    return drain


def _line(process, log):
    line = process.stdout.readline()
    assert line, ended(log)
    return json.loads(line)
