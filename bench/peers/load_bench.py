"""What low_load and echo share: their arguments, the broker of a run, and its report."""

import argparse
import contextlib
import json
import os
import pathlib

from harness.stack import Stack
from members import JAVA_OPTIONS, end_on_term, missing_programs


def load_parser(name, description, examples, programs):
    """A parser with what every load has; programs: options of the paths that ./dev bench adds."""
    parser = argparse.ArgumentParser(
        usage=f"./dev bench {name} [--repetitions N] [ARGUMENTS]", description=description,
        epilog=examples,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=80))
    parser.add_argument("--seconds", type=int, default=30, help="that count (30)")
    parser.add_argument("--warm-up", type=int, default=10, help="seconds before them (10)")
    parser.add_argument("--accounts", type=int, default=200_000, help="that pay (200000)")
    parser.add_argument("--partitions", type=int, default=6, help="of the topics (6)")
    # What ./dev bench adds.
    parser.add_argument("--runs", type=int, default=3, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    for program in programs:
        parser.add_argument(program, required=True, help=argparse.SUPPRESS)
    return parser


def in_turn(names, number):
    """The order of a repetition: every other one the other way round."""
    return names if number % 2 == 0 else tuple(reversed(names))


def rows_of(rows):
    """The figures of a report, of (name, unit, values, target, void)."""
    return [dict(zip(("name", "unit", "values", "target", "void"), row)) for row in rows]


def main(name, arguments, measure):
    """Starts Kafka, writes what `measure` (a started Stack -> the report) gives; the exit code."""
    if missing_programs(name):
        return 69
    end_on_term()
    os.environ.setdefault("STACK_JAVA_OPTIONS", JAVA_OPTIONS)
    stack = Stack()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(stack.stop)
        stack.start("kafka")
        report = measure(stack)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    return 0
