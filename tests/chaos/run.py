"""Runs the rows and prints what came of them.

    run.py [--row NAME]... [--full] [--resume] [--seed N] [--kafka VERSION] [--results FILE]
    run.py --list

Exit code 0: every row is exact and every control has failed as it must.
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import rows  # noqa: E402
from harness import engine, suite  # noqa: E402

# Ports of its own for each row, and none of the end-to-end tests': rows may run side by side.
_PORTS_PER_ROW = 10
_FIRST_PORT = int(os.environ.get("CARACAL_E2E_PORT", "25600")) + _PORTS_PER_ROW
_COLUMNS = "{:<14} {:<6} {:<8} {:>7}  {}"


def main():
    arguments = _arguments()
    if arguments.list:
        for row in rows.ALL:
            print(f"{row.NAME:<14} {row.PROMISE}")
        return 0
    suite.require(needs_binary=True)
    if arguments.kafka:
        os.environ["STACK_KAFKA_VERSION"] = arguments.kafka  # read by harness.stack
    # As an interrupt does it: servers and members end with the row.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    chosen = [row for row in rows.ALL if not arguments.row or row.NAME in arguments.row]
    results = _Results(arguments)
    for row in chosen:
        _run_row(row, arguments, results)
    return results.report()


def _arguments():
    names = [row.NAME for row in rows.ALL]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--row", action="append", choices=names, metavar="NAME",
                        help=f"only these: {', '.join(names)}")
    parser.add_argument("--full", action="store_true", help="the full size, not the small one")
    parser.add_argument("--resume", action="store_true",
                        help="leave out what has passed with this binary before")
    parser.add_argument("--no-control", action="store_true", help="leave out the controls")
    parser.add_argument("--only-control", action="store_true", help="run the controls alone")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--kafka", metavar="VERSION", default=os.environ.get("STACK_KAFKA_VERSION"),
                        help="brokers of another version than that of deploy/stack: 3.9.1")
    parser.add_argument("--results", type=pathlib.Path, help="file to keep results in")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    return parser.parse_args()


def _run_row(row, arguments, results):
    os.environ["CARACAL_E2E_PORT"] = str(_FIRST_PORT + _PORTS_PER_ROW * rows.ALL.index(row))
    plan = row.FULL if arguments.full else row.SMALL
    if not arguments.only_control:
        results.run(row, "run", lambda: row.run(plan, arguments.seed))
    with_control = arguments.full or arguments.only_control or row.CONTROL_IN_SMALL
    if with_control and not arguments.no_control:
        results.run(row, "control", lambda: _control(row, row.SMALL, arguments.seed))


def _control(row, plan, seed):
    """The run without the mitigation; passes when it is found out."""
    try:
        said = row.control(plan, seed)
    except AssertionError as error:
        said = str(error).partition("\n")[0]
        if not re.search(row.CONTROL_SEES, str(error)):
            raise AssertionError(f"it fails, and not as it must: {said}") from error
        return f"fails as it must: {said[:120]}"
    raise AssertionError(f"without its mitigation the row passes as well: {said}")


class _Results:
    """What has run, in the order it ran; kept in a file for --resume."""

    def __init__(self, arguments):
        self._arguments = arguments
        self._path = arguments.results
        self._lines = []
        self._kept = {}
        if self._path and self._path.exists():
            self._kept = json.loads(self._path.read_text(encoding="utf-8"))

    def run(self, row, part, work):
        key = f"{row.NAME} {part} {'full' if self._arguments.full else 'small'}"
        if self._arguments.kafka:
            key += f" kafka {self._arguments.kafka}"
        binary = str(os.stat(engine.binary()).st_mtime_ns)
        kept = self._kept.get(key)
        if self._arguments.resume and kept and kept["binary"] == binary and kept["ok"]:
            self._lines.append((row, part, {**kept, "said": f"{kept['said']} (before)"}))
            return
        print(f"{key}: seed {self._arguments.seed}", flush=True)
        begin = time.monotonic()
        try:
            said, ok = work(), True
        except Exception as error:  # whatever it is, the row has failed and the next one runs
            traceback.print_exc()
            said, ok = f"seed {self._arguments.seed}: {_first_line(error)}", False
        result = {"ok": ok, "said": said, "seconds": time.monotonic() - begin, "binary": binary}
        self._lines.append((row, part, result))
        print(self._line(row, part, result), flush=True)
        self._kept[key] = result
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._kept, indent=1), encoding="utf-8")

    def report(self):
        """Prints the table; the exit code."""
        if len(self._lines) > 1:
            print()
            print(_COLUMNS.format("row", "", "result", "seconds", "what was done"))
            for row, part, result in self._lines:
                print(self._line(row, part, result))
        failed = sum(not result["ok"] for _, _, result in self._lines)
        return 1 if failed else 0

    @staticmethod
    def _line(row, part, result):
        verdict = "passed" if result["ok"] else "FAILED"
        shown = part if part == "control" else ""
        return _COLUMNS.format(row.NAME, shown, verdict, f"{result['seconds']:.0f}", result["said"])


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


if __name__ == "__main__":
    sys.exit(main())
