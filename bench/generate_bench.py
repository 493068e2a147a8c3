#!/usr/bin/env python3
"""How fast `caracal generate` writes a file: one process, one thread, into memory and to a disk.

Files are written through the page cache and not flushed, as the command does it.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

# A file system in memory; the usual place on Linux.
MEMORY = pathlib.Path("/dev/shm")


def generate(program, records, path):
    """(events per second of wall time, CPU ns per event) of one run."""
    command = [program, "generate", "--count", str(records), "--output", str(path), "--no-progress"]
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"generate_bench: {' '.join(command)} exits {process.returncode}")
    return records / seconds, (usage.ru_utime + usage.ru_stime) * 1e9 / records


def measure(program, records, runs, folder):
    """Both figures of `runs` runs, each into a new file below `folder`."""
    rates, costs = [], []
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        path = pathlib.Path(directory) / "events.ndjson"
        for _ in range(runs):
            rate, cost = generate(program, records, path)
            rates.append(rate)
            costs.append(cost)
            path.unlink()
    return rates, costs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--caracal", required=True, help="the program")
    parser.add_argument("--out", type=pathlib.Path, required=True,
                        help="JSON report; the file on disk is written beside it")
    parser.add_argument("--records", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    figures = {}
    for name, folder in (("in memory", MEMORY), ("on disk", arguments.out.parent)):
        rates, costs = measure(arguments.caracal, arguments.records, arguments.runs, folder)
        figures[f"events/s, file {name}"] = rates
        figures[f"CPU ns/event, file {name}"] = costs
    report = {"records": arguments.records, "figures": figures}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
