#!/usr/bin/env python3
"""Compares what Caracal and an honest C++ program need while there is little to
do: payments at a rate that leaves the machine mostly idle.

Starts a Kafka broker of its own on this machine. Each program in turn judges
payments that come at fixed times; processor time and wake-ups count from the
end of the warm-up on. A program that has not judged exactly what was sent makes
its rows void.
"""

import dataclasses
import pathlib
import sys

PEERS = pathlib.Path(__file__).resolve().parent
BENCH = PEERS.parent
sys.path[:0] = [str(PEERS), str(BENCH), str(BENCH.parent / "tests" / "e2e")]

from lineup import (  # noqa: E402
    CARACAL,
    CARACAL_AT_LEAST_ONCE,
    HONEST,
    Lineup,
    Peer,
)
from load_bench import in_turn, load_parser, main, rows_of  # noqa: E402
from loads import Load, Loads, group_name, topic_of  # noqa: E402

CONFIG = PEERS / "reference.yaml"
HISTORY = 3  # what the profile wants before it judges
DELIVERIES = {CARACAL_AT_LEAST_ONCE: "at_least_once", CARACAL: "exactly_once"}
# What Caracal may need at most of the honest program's processor time.
LIMITS = {CARACAL_AT_LEAST_ONCE: 1.3, CARACAL: 2.0}
EXAMPLES = """examples:
  ./dev bench low_load
  ./dev bench low_load --repetitions 1 --seconds=5 --warm-up=2
  ./dev bench low_load --rate=5000
"""


def contenders(brokers, topic, arguments):
    """Caracal in both delivery modes, the peer in C++, and the same without judging."""
    ours = [Peer(who, "caracal", "process",
                 lambda _: [arguments.caracal, "run", "-c", str(CONFIG)]) for who in DELIVERIES]
    return [*ours, *Lineup(brokers, topic, arguments, None).honest()]


def run(stack, arguments):
    """All runs, in turn, the order reversed with every repetition. One more before them is for the
    broker, whose code is compiled while it runs."""
    loads = Loads(stack, arguments.open_loop)
    load = Load(arguments.rate, arguments.seconds, arguments.warm_up, arguments.accounts,
                arguments.partitions, HISTORY)
    names = [peer.name for peer in contenders("", "", arguments)]

    def measure(who, number):
        group = group_name(who, number)
        peer = next(each for each in contenders(stack.bootstrap, topic_of(group), arguments)
                    if each.name == who)
        return loads.measure(peer, group, load, DELIVERIES.get(who, ""))

    measure(CARACAL, "warm-up")
    runs = []
    for number in range(arguments.runs):
        for who in in_turn(names, number):
            runs.append(measure(who, number))
            print(f"  {line(runs[-1], arguments.seconds)}", file=sys.stderr, flush=True)
    return runs


def line(each, seconds):
    void = f"   VOID: {each.judged:,} of {each.sent:,} records judged, " \
           f"{each.alerts:,} of {each.alerts_expected:,} alerts" if each.void else ""
    return (f"{each.who:30} cpu {each.cpu:5.2f} s   wake-ups {each.wake_ups / seconds:7,.0f}/s   "
            f"broker {each.broker_cpu:5.2f} s{void}")


def figures(runs, seconds):
    """[{name, unit, values, target, void}], values one per repetition; the ratios first, each of
    runs of the same repetition."""
    by_who = {}
    for each in runs:
        by_who.setdefault(each.who, []).append(each)
    void = {who: any(each.void for each in own) for who, own in by_who.items()}
    rows = []
    for who, limit in LIMITS.items():
        rows.append((f"{who} / {HONEST}: CPU", "ratio",
                     [our.cpu / theirs.cpu for our, theirs in zip(by_who[who], by_who[HONEST])],
                     f"<= {limit}", void[who] or void[HONEST]))
    for who, own in by_who.items():
        for name, unit, values in (
            ("CPU", "s", [each.cpu for each in own]),
            ("wake-ups", "1/s", [each.wake_ups / seconds for each in own]),
            ("broker CPU", "s", [each.broker_cpu for each in own]),
            ("records judged", "", [each.judged for each in own]),
            ("sender late, p99", "ms", [each.sender_late_ms["p99"] for each in own]),
        ):
            rows.append((f"{who}: {name}", unit, values, "", void[who]))
    return rows_of(rows)


def report(stack, arguments):
    runs = run(stack, arguments)
    return {"rate": arguments.rate, "seconds": arguments.seconds, "accounts": arguments.accounts,
            "runs": [dataclasses.asdict(each) for each in runs],
            "figures": figures(runs, arguments.seconds)}


def parse_arguments():
    parser = load_parser("low_load", __doc__, EXAMPLES, ("--caracal", "--honest", "--open-loop"))
    parser.add_argument("--rate", type=int, default=20_000, help="payments per second (20000)")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = parse_arguments()
    sys.exit(main("low_load", chosen, lambda stack: report(stack, chosen)))
