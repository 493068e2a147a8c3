#!/usr/bin/env python3
"""Compares how long an alert takes with Caracal and with a program that judges
nothing and passes the same payments on, in the same delivery mode, at half and
at nine tenths of the highest rate that sender, broker and Caracal sustain
together.

Starts a Kafka broker of its own on this machine and looks for that rate first,
in short runs. An alert's latency counts from the intended time of its payment
until a consumer of committed records has read it.
"""

import dataclasses
import pathlib
import sys

PEERS = pathlib.Path(__file__).resolve().parent
BENCH = PEERS.parent
sys.path[:0] = [str(PEERS), str(BENCH), str(BENCH.parent / "tests" / "e2e")]

from lineup import Peer, alerts_topic  # noqa: E402
from load_bench import in_turn, load_parser, main, rows_of  # noqa: E402
from loads import Load, Loads, NotSentError, group_name, topic_of  # noqa: E402

CONFIG = BENCH / "config" / "latency.yaml"
OURS = "Caracal"
ECHO = "echo"
DELIVERIES = ("exactly_once", "at_least_once")
SHARES = (0.5, 0.9)
QUANTILES = ("p50", "p99", "p99.9")
LIMIT = 2  # of Caracal's p99.9 to the echo's, at half of the highest rate
HISTORY = 1
STEP = 1.5
HALVINGS = 2
RAMP_WARM_UP = 2  # seconds
RATES = (1_000, 1_000_000)
# A rate is sustained when half of the alerts come earlier than this: behind a program that is a
# twentieth too slow they do not, and a short pause makes fewer than that late.
LATE_MS = 250
ATTEMPTS = 2
EXAMPLES = """examples:
  ./dev bench echo
  ./dev bench echo --delivery=exactly_once --repetitions 1 --seconds=5
  ./dev bench echo --max-rate=60000
"""


def highest_rate(sustains, first, rates=RATES):
    """The highest rate (a whole number) that `sustains`, less than an eighth below the true one: by
    steps of a half from `first`, then halfway between what is and what is not. None = none of
    `rates`, (lowest, highest)."""
    good, bad, rate = None, None, first
    while good is None or bad is None:
        if not rates[0] <= rate <= rates[1]:
            return good
        if sustains(rate):
            good = rate
            rate = int(rate * STEP)
        else:
            bad = rate
            rate = int(rate / STEP)
    for _ in range(HALVINGS):
        rate = int((good * bad) ** 0.5)
        good, bad = (rate, bad) if sustains(rate) else (good, rate)
    return good


class Bench:
    """The programs under load, each run on topics of its own."""

    def __init__(self, stack, arguments):
        self._stack = stack
        self._arguments = arguments
        self._loads = Loads(stack, arguments.open_loop)

    def run(self, who, delivery, rate, number, seconds, warm_up):
        arguments = self._arguments
        name = group_name(f"{who} {delivery} {rate}", number)
        commands = {
            OURS: [arguments.caracal, "run", "-c", str(CONFIG)],
            ECHO: [arguments.echo, self._stack.bootstrap, topic_of(name), name,
                   alerts_topic(name), delivery],
        }
        peer = Peer(who, who.lower(), "process", lambda _: commands[who])
        load = Load(rate, seconds, warm_up, arguments.accounts, arguments.partitions, HISTORY)
        return self._loads.measure(peer, name, load, delivery)

    def find_rate(self, delivery):
        """The highest rate that sender, broker and Caracal sustain together, or --max-rate."""
        def sustains(rate):
            return any(self._sustains(delivery, rate, attempt) for attempt in range(ATTEMPTS))

        # The broker's code is compiled while it runs.
        self.run(OURS, delivery, self._arguments.first_rate, "warm-up",
                 self._arguments.warm_up, RAMP_WARM_UP)
        if self._arguments.max_rate:
            return self._arguments.max_rate
        rate = highest_rate(sustains, self._arguments.first_rate)
        if rate is None:
            raise SystemExit(f"echo: the machine does not sustain {RATES[0]:,} payments/s")
        return rate

    def _sustains(self, delivery, rate, attempt):
        try:
            run = self.run(OURS, delivery, rate, f"ramp {attempt}", self._arguments.ramp_seconds,
                           RAMP_WARM_UP)
        except NotSentError:
            say(f"{delivery}: {rate:9,}/s: not sent")
            return False
        late = run.latency_ms["p50"]
        sustained = not run.void and late <= LATE_MS
        say(f"{delivery}: {rate:9,}/s: {'' if sustained else 'not '}sustained, p50 {late} ms")
        return sustained


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def run(bench, arguments):
    """({delivery: highest rate}, {(delivery, share, who): runs})."""
    deliveries = arguments.delivery or DELIVERIES
    highest = {each: bench.find_rate(each) for each in deliveries}
    for delivery, rate in highest.items():
        say(f"{delivery}: {rate:,} payments/s at most")
    runs = {}
    for number in range(arguments.runs):
        for delivery in deliveries:
            for share in SHARES:
                for who in in_turn((OURS, ECHO), number):
                    each = bench.run(who, delivery, int(share * highest[delivery]), number,
                                     arguments.seconds, arguments.warm_up)
                    runs.setdefault((delivery, share, who), []).append(each)
                    quantiles = "   ".join(f"{name} {each.latency_ms[name]:7.1f} ms"
                                           for name in QUANTILES)
                    say(f"{delivery:14} {share:.0%} {who:8} {quantiles}"
                        f"{'   VOID' if each.void else ''}")
    return highest, runs


def figures(highest, runs):
    """[{name, unit, values, target, void}], values one per repetition; the ratios first, each of
    runs of the same repetition."""
    void = {key: any(each.void for each in own) for key, own in runs.items()}
    rows = []
    for delivery, share in dict.fromkeys(key[:2] for key in runs):
        ours, echo = (delivery, share, OURS), (delivery, share, ECHO)
        rows.append((f"{delivery}, {share:.0%}: {OURS} / {ECHO}, p99.9", "ratio",
                     [our.latency_ms["p99.9"] / theirs.latency_ms["p99.9"]
                      for our, theirs in zip(runs[ours], runs[echo])],
                     f"<= {LIMIT}" if share == SHARES[0] else "", void[ours] or void[echo]))
    for delivery, rate in highest.items():
        rows.append((f"{delivery}: highest rate", "events/s", [rate], "", False))
    for key, own in runs.items():
        title = f"{key[0]}, {key[1]:.0%}, {key[2]}"
        for quantile in QUANTILES:
            rows.append((f"{title}: {quantile}", "ms",
                         [each.latency_ms[quantile] for each in own], "", void[key]))
        rows.append((f"{title}: CPU", "s", [each.cpu for each in own], "", void[key]))
        rows.append((f"{title}: broker CPU", "s", [each.broker_cpu for each in own], "",
                     void[key]))
        rows.append((f"{title}: sender late, p99", "ms",
                     [each.sender_late_ms["p99"] for each in own], "", void[key]))
    return rows_of(rows)


def report(stack, arguments):
    highest, runs = run(Bench(stack, arguments), arguments)
    return {"highest_rate": highest, "seconds": arguments.seconds, "accounts": arguments.accounts,
            "runs": [{"delivery": delivery, "share": share, **dataclasses.asdict(each)}
                     for (delivery, share, _), own in runs.items() for each in own],
            "figures": figures(highest, runs)}


def parse_arguments():
    parser = load_parser("echo", __doc__, EXAMPLES, ("--caracal", "--echo", "--open-loop"))
    parser.add_argument("--delivery", action="append", choices=DELIVERIES,
                        help="only this mode (both)")
    parser.add_argument("--max-rate", type=int, metavar="N",
                        help="payments per second: do not look for the highest rate")
    parser.add_argument("--first-rate", type=int, default=20_000, metavar="N",
                        help="payments per second to begin looking at (20000)")
    parser.add_argument("--ramp-seconds", type=int, default=5,
                        help="of each rate that is tried (5)")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = parse_arguments()
    sys.exit(main("echo", chosen, lambda stack: report(stack, chosen)))
