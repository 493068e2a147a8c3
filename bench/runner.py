"""Runs the programs and scripts that measure, and reads what they report."""

import json
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
PROGRAM = "src/pipeline/tools/caracal"
HELP = {"-h", "--help"}


class Runner:
    """Where the programs are, and how often each measurement is repeated."""

    def __init__(self, build, repetitions, extra):
        self.build = build
        self.repetitions = repetitions
        self.extra = extra

    def path(self, name):
        return str(self.build / name)

    def google(self, name, *arguments):
        """Runs a Google Benchmark program; {benchmark: [repetition, ...]} of its JSON."""
        out = self.build / f"{name}.raw.json"
        command = [self.path(f"bench/{name}"), f"--benchmark_repetitions={self.repetitions}",
                   "--benchmark_display_aggregates_only=true", f"--benchmark_out={out}",
                   "--benchmark_out_format=json", *arguments, *self.extra]
        subprocess.run(command, check=True, stdout=sys.stderr, stdin=subprocess.DEVNULL)
        repetitions = {}
        for entry in json.loads(out.read_text())["benchmarks"]:
            if entry["run_type"] != "iteration":
                continue
            if entry.get("error_occurred"):
                raise SystemExit(f"{entry['name']}: {entry['error_message']}")
            repetitions.setdefault(entry["run_name"], []).append(entry)
        out.unlink()
        return repetitions

    def script(self, name, *arguments, accepted=(0,)):
        """Runs one of our scripts; its report. accepted: exit codes of one that has made it."""
        out = self.build / f"{pathlib.PurePath(name).name}.raw.json"
        command = [sys.executable, "-B", str(BENCH / f"{name}.py"), "--out", str(out),
                   "--caracal", self.path(PROGRAM), *arguments, *self.extra]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
        if HELP & set(self.extra):
            raise SystemExit(done.returncode)
        if done.returncode not in accepted or not out.exists():
            raise SystemExit(done.returncode or 1)
        report = json.loads(out.read_text())
        out.unlink()
        return report


def column(repetitions, key):
    return [entry[key] for entry in repetitions]


def per_item(repetitions):
    """ns per item of each repetition."""
    return [1e9 / entry["items_per_second"] for entry in repetitions]


def cpu_per_item(repetitions):
    """ns of processor time per item, where that of the process is measured and real time counts."""
    return [entry["cpu_time"] / entry["real_time"] * ns
            for entry, ns in zip(repetitions, per_item(repetitions))]
