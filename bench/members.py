"""What the benchmarks on a real broker share: members, and what processes and the machine use."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import urllib.request

# A JVM as a server runs it, not one that starts fast.
JAVA_OPTIONS = "-Xms1g -Xmx1g -XX:+UseSerialGC"
TICKS = os.sysconf("SC_CLK_TCK")


def process_cpu(pid):
    """Seconds a process has computed so far, its threads together."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wake_ups(pid):
    """How often the threads that a process has now have waited and gone on."""
    count = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        with contextlib.suppress(OSError):  # the thread has ended
            count += int(status.read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return count


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


def totals(metrics):
    """{metric: sum over its labels} of the text format."""
    sums = {}
    for line in metrics.splitlines():
        if line and line[0] != "#":
            name, value = line.rsplit(" ", 1)
            name = name.partition("{")[0]
            sums[name] = sums.get(name, 0.0) + float(value)
    return sums


@contextlib.contextmanager
def running_member(caracal, config, environment, log):
    """`caracal run` while the block runs; yields the process. TERM ends it, with exit code 0, unless
    the block has ended it."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [caracal, "run", "-c", str(config)], env={**os.environ, **environment},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, f"the member exits {process.returncode}: see {log}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def metrics_text(admin):
    """The metrics of a running member."""
    with urllib.request.urlopen(f"http://{admin}/metrics", timeout=10) as answer:
        return answer.read().decode()


def metrics_of(admin):
    """{metric: sum over its labels} of a running member."""
    return totals(metrics_text(admin))


def end_on_term():
    """TERM ends this script like an error: what it has started is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def missing_programs(name):
    """Says what the stack needs and this machine has not; False = nothing is missing."""
    missing = [program for program in ("java", "mvn", "kcat", "psql", "curl")
               if not shutil.which(program)]
    for program in missing:
        print(f"{name} needs the program {program}", file=sys.stderr)
    return bool(missing)
