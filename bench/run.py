#!/usr/bin/env python3
"""Runs the benchmarks, writes NAME_bench.json beside the build, and prints one table of figures.

Every figure is the median of its repetitions, with the smallest and the largest. Called by
`./dev bench`, which builds first.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys

import table
from runner import HELP, PROGRAM, Runner, column, cpu_per_item, per_item
from table import Figure

QUIET_LOAD = 0.5


def run_agents(runner):
    for name, repetitions in runner.google("agents_bench").items():
        agent = name.partition("/")[2]
        yield Figure(f"{agent}", "ns/event", [1e9 * entry["per_event"] for entry in repetitions])


# Of decode / On-Demand: at least 1.5 times as fast, 4 times where there is a schema block.
DECODE_TARGETS = {
    "bare_text": "<= 0.667",
    "bare_base64": "<= 0.667",
    "wrapped_base64": "<= 0.25",
    "flat_row": "",
}


def run_ring(runner):
    for name, repetitions in runner.google("ring_bench").items():
        name = name.removeprefix("BM_").partition("/process_time")[0]
        if not name.startswith("HandOff"):
            yield Figure(name, "ns/message", per_item(repetitions))
            continue
        yield Figure(f"{name}: wall", "ns/event", per_item(repetitions))
        yield Figure(f"{name}: CPU", "ns/event", cpu_per_item(repetitions),
                     "<= 10" if name.endswith("batch:1024") else "")


def run_encode(runner):
    for name, repetitions in runner.google("encode_bench").items():
        name = name.removeprefix("Encode/")
        yield Figure(name, "ns/alert", per_item(repetitions))
        yield Figure(f"{name}: value", "B/alert", column(repetitions, "bytes"))


def run_decode(runner):
    runs = runner.google("decode_bench", "--benchmark_enable_random_interleaving=true")
    for shape, target in DECODE_TARGETS.items():
        if f"BM_Decode/{shape}" not in runs:
            continue
        decode = per_item(runs[f"BM_Decode/{shape}"])
        yield Figure(f"{shape}: decode", "ns/event", decode)
        if full_parse := runs.get(f"BM_Decode/{shape}_full_parse"):
            yield Figure(f"{shape}: decode, always the full parse", "ns/event",
                         per_item(full_parse))
        for flags, suffix in (("as built", ""), ("-march=native", "_native")):
            if f"BM_BareOnDemand/{shape}{suffix}" not in runs:
                continue
            bare = per_item(runs[f"BM_BareOnDemand/{shape}{suffix}"])
            yield Figure(f"{shape}: bare On-Demand, {flags}", "ns/event", bare)
            middle = statistics.median(bare)
            yield Figure(f"{shape}: decode / bare On-Demand, {flags}", "ratio",
                         [value / middle for value in decode], target)


# Judged by the ratio of processor times to On-Demand.
ENGINE_ROWS = {"bare/uniform/workers:0", "bare/zipf_10m/workers:0"}


def run_engine(runner):
    listed = subprocess.run(
        [runner.path("bench/engine_bench"), "--benchmark_list_tests", *runner.extra],
        check=True, capture_output=True, text=True).stdout.split()
    wall = {}
    for name in listed:
        # A process for each: what one has freed must not hide what the next one needs.
        for full_name, runs in runner.google("engine_bench", f"--benchmark_filter=^{name}$").items():
            workload = full_name.removeprefix("engine/").split("/iterations")[0]
            target = "<= 600" if workload == "bare/uniform/workers:0" else ""
            wall[workload] = column(runs, "wall_ns")
            yield Figure(f"{workload}: wall", "ns/event", wall[workload], target)
            yield Figure(f"{workload}: CPU", "ns/event", column(runs, "cpu_ns"))
            if "on_demand_ns" in runs[0]:
                yield Figure(f"{workload}: CPU / bare On-Demand", "ratio",
                             [run["cpu_ns"] / run["on_demand_ns"] for run in runs],
                             "<= 2.0" if workload in ENGINE_ROWS else "")
            for key, unit in (("input_bytes", "B/event"), ("allocations", "calls/event"),
                              ("allocated_bytes", "B/event"),
                              ("state_bytes_per_account", "B/account"), ("rss_mib", "MiB")):
                yield Figure(f"{workload}: {key.removesuffix('_mib')}", unit, column(runs, key))
    for kind in ("zipf_1.1", "hot", "malformed"):
        if {f"bare/{kind}/workers:0", "bare/uniform/workers:0"} <= wall.keys():
            clean = statistics.median(wall["bare/uniform/workers:0"])
            yield Figure(f"bare, throughput: {kind} / uniform", "ratio",
                         [clean / value for value in wall[f"bare/{kind}/workers:0"]], ">= 0.6")


def run_fan_out(runner):
    runs = {name.split("/process_time")[0].removeprefix("fan_out/"): entries
            for name, entries in runner.google("fan_out_bench").items()}
    wall = {name: per_item(entries) for name, entries in runs.items()}
    cpu = {name: cpu_per_item(entries) for name, entries in runs.items()}
    for name in runs:
        yield Figure(f"{name}: wall", "ns/event", wall[name])
        yield Figure(f"{name}: CPU", "ns/event", cpu[name])
    inline = statistics.median(cpu["agent_ns:0/uniform/workers:0"])
    yield Figure("hand-off: CPU of one worker thread - inline", "ns/event",
                 [value - inline for value in cpu["agent_ns:0/uniform/workers:1"]], "<= 10")
    for kind in ("agent_ns:50/uniform", "agent_ns:1000/uniform", "agent_ns:5000/uniform",
                 "agent_ns:1000/hot"):
        one = statistics.median(wall[f"{kind}/workers:1"])
        yield Figure(f"{kind}: two workers / one", "speed-up",
                     [one / value for value in wall[f"{kind}/workers:2"]],
                     ">= 1.6" if "000/uniform" in kind else "")


def run_key_table(runner):
    runs = runner.google("key_table_bench")
    for zipf in (0, 8, 11):
        small, large = (
            per_item(runs.get(f"BM_KeyTable/prefetched/keys:{keys}/zipf_tenths:{zipf}", []))
            for keys in (100_000, 100_000_000))
        if small and large:
            middle = statistics.median(small)
            yield Figure(f"Zipf {zipf / 10}: 10^8 keys / 10^5", "ratio",
                         [value / middle for value in large], "<= 3")
    for name, repetitions in runs.items():
        yield Figure(name.removeprefix("BM_"), "ns/event", per_item(repetitions))
        if "bytes_per_key" in repetitions[0]:
            yield Figure(f"{name.removeprefix('BM_')}: memory", "B/key",
                         column(repetitions, "bytes_per_key"))


def run_state(runner):
    listed = subprocess.run(
        [runner.path("bench/state_bench"), "--benchmark_list_tests", *runner.extra],
        check=True, capture_output=True, text=True).stdout.split()
    cpu = {}
    for name in listed:
        row = name.partition("/iterations")[0]
        is_memory = row.startswith("memory/")
        arguments = [f"--benchmark_filter=^{name}$"]
        # Bytes repeat exactly in a new process only.
        if is_memory:
            arguments.append("--benchmark_repetitions=1")
        for runs in runner.google("state_bench", *arguments).values():
            if is_memory:
                target = "<= 128" if "zscore/keys:10000000" in row else ""
                yield Figure(f"{row}: rss", "B/key", column(runs, "rss"), target)
                for part in ("state", "index", "slab", "header", "velocity", "amount", "geo",
                             "spare", "filter"):
                    yield Figure(f"{row}: {part}", "B/key", column(runs, part))
                for key, title in (("pause", "longest batch while it grew, CPU"),
                                   ("pause_wall", "longest batch while it grew, wall"),
                                   ("pause_table", "longest batch with growth of one table, CPU"),
                                   ("batch", "batch while it grew, mean, CPU")):
                    yield Figure(f"{row}: {title}", "ns", column(runs, key))
            else:
                cpu[row] = column(runs, "cpu_ns")
                yield Figure(f"{row}: CPU", "ns/event", cpu[row])
    small = cpu.get("judge/zscore/keys:100000/payments:1")
    for keys in (10_000_000, 100_000_000):
        if small and (large := cpu.get(f"judge/zscore/keys:{keys}/payments:1")):
            middle = statistics.median(small)
            yield Figure(f"judge: {keys} keys / 10^5", "ratio", [ns / middle for ns in large],
                         "<= 2")


def run_plugin(runner):
    runs = runner.google("plugin_bench", "--benchmark_enable_random_interleaving=true")
    none, empty, built_in, plugin = (
        per_item(runs[f"BM_{name}"])
        for name in ("NoAgent", "EmptyPlugin", "VelocityBuiltIn", "VelocityPlugin"))
    yield Figure("no agent", "ns/event", none)
    yield Figure("empty plugin", "ns/event", empty)
    middle = statistics.median(none)
    yield Figure("empty plugin - no agent", "ns/event", [value - middle for value in empty],
                 "<= 5")
    yield Figure("velocity, built in", "ns/event", built_in)
    yield Figure("velocity, plugin", "ns/event", plugin)
    middle = statistics.median(built_in)
    yield Figure("velocity: plugin / built in", "ratio", [value / middle for value in plugin],
                 "<= 1.1")
    loads = next(entries for name, entries in runs.items() if name.startswith("BM_LoadTwenty"))
    yield Figure("loading twenty plugins", "ms", column(loads, "real_time"), "<= 100")


def run_list(runner):
    for name, repetitions in runner.google("list_bench").items():
        title = name.removeprefix("BM_List")
        if title.startswith("Load"):
            yield Figure(title, "ms", column(repetitions, "real_time"))
        else:
            yield Figure(title, "ns/event", per_item(repetitions))


def run_scorer(runner):
    for name, repetitions in runner.google("scorer_bench").items():
        target = "<= 500" if "trees:100/rows:32" in name else ""
        yield Figure(name.removeprefix("BM_"), "ns/event", per_item(repetitions), target)


def unit_of(name):
    return next(unit for unit in ("events/s", "ns/event", "MiB", "") if unit in name)


def run_snapshot(runner):
    for name, repetitions in runner.google("snapshot_bench").items():
        yield Figure(name.removeprefix("BM_"), "MB/s",
                     [entry["bytes_per_second"] / 1e6 for entry in repetitions])


def run_generate(runner):
    report = runner.script("generate_bench", "--runs", str(runner.repetitions))
    for name, values in report["figures"].items():
        target = ">= 1000000" if name == "events/s, file in memory" else ""
        yield Figure(name, unit_of(name), values, target)


DRAIN_TARGETS = {
    "at_least_once events/s": ">= 700000",
    "exactly_once / at_least_once": ">= 0.95",
    "exactly_once / bare": ">= 0.65",
    "bare CPU / exactly_once": ">= 0.5",
    "events per CPU-second, two members / one": ">= 0.8",
}


def run_drain(runner):
    report = runner.script("drain_bench", "--bare-consumer", runner.path("bench/bare_consumer"),
                           "--runs", str(runner.repetitions))
    for name, values in report["figures"].items():
        target = DRAIN_TARGETS.get(name, "")
        yield Figure(name, unit_of(name) or "ratio", values, target, void=bool(report["void"]))


LATENCY_TARGETS = {
    "exactly_once: p50 ms": "<= 25",
    "exactly_once: p99 ms": "<= 60",
    "exactly_once: p99.9 ms": "<= 150",
    "at_least_once: p99 ms": "<= 15",
}


def run_latency(runner):
    report = runner.script("latency_bench", "--open-loop", runner.path("bench/open_loop"))
    for name, values in report["figures"].items():
        yield Figure(name, "", values, LATENCY_TARGETS.get(name, ""))


RECOVERY_TARGETS = {
    "killed: first alert after both, s": "<= 10",
    "killed: unmoved partitions, p99 / before": "<= 2",
    "stopped: unmoved partitions, p99 / before": "<= 2",
    "killed: unmoved partitions, longest standstill, ms": "<= 250",
    "stopped: unmoved partitions, longest standstill, ms": "<= 250",
    "stopped: longest wait / (1 s + state at 250 MB/s)": "<= 1",
}


def run_recovery(runner):
    report = runner.script("recovery_bench", "--open-loop", runner.path("bench/open_loop"))
    for name, values in report["figures"].items():
        yield Figure(name, "", values, RECOVERY_TARGETS.get(name, ""))


def run_peers(runner):
    report = runner.script(
        "peers/peers_bench", "--bare-consumer", runner.path("bench/bare_consumer"),
        "--honest", runner.path("bench/honest_peer"), "--prepared", runner.path("peers"),
        accepted=(0, 1))
    for row in report["figures"]:
        yield Figure(**row)


def run_peers_latency(runner):
    report = runner.script(
        "peers/peers_latency", "--open-loop", runner.path("bench/open_loop"),
        "--honest", runner.path("bench/honest_peer"), "--prepared", runner.path("peers"))
    for row in report["figures"]:
        yield Figure(**row)


def run_low_load(runner):
    report = runner.script(
        "peers/low_load", "--open-loop", runner.path("bench/open_loop"),
        "--honest", runner.path("bench/honest_peer"), "--runs", str(runner.repetitions))
    for row in report["figures"]:
        yield Figure(**row)


def run_echo(runner):
    report = runner.script(
        "peers/echo", "--open-loop", runner.path("bench/open_loop"),
        "--echo", runner.path("bench/echo_peer"), "--runs", str(runner.repetitions))
    for row in report["figures"]:
        yield Figure(**row)


def run_snapshots(runner):
    report = runner.script("snapshots_bench", "--open-loop", runner.path("bench/open_loop"),
                           "--runs", str(runner.repetitions))
    for row in report["figures"]:
        yield Figure(**row)


BENCHMARKS = {
    "engine": (run_engine, ["engine_bench"]),
    "decode": (run_decode, ["decode_bench"]),
    "fan_out": (run_fan_out, ["fan_out_bench"]),
    "agents": (run_agents, ["agents_bench"]),
    "ring": (run_ring, ["ring_bench"]),
    "encode": (run_encode, ["encode_bench"]),
    "key_table": (run_key_table, ["key_table_bench"]),
    "state": (run_state, ["state_bench"]),
    "snapshot": (run_snapshot, ["snapshot_bench"]),
    "plugin": (run_plugin, ["plugin_bench"]),
    "list": (run_list, ["list_bench"]),
    "scorer": (run_scorer, ["scorer_bench"]),
    "generate": (run_generate, [PROGRAM]),
    "drain": (run_drain, [PROGRAM, "bare_consumer"]),
    "latency": (run_latency, [PROGRAM, "open_loop"]),
    "recovery": (run_recovery, [PROGRAM, "open_loop"]),
    "snapshots": (run_snapshots, [PROGRAM, "open_loop"]),
    "peers": (run_peers, [PROGRAM, "bare_consumer", "honest_peer"]),
    "peers_latency": (run_peers_latency, [PROGRAM, "honest_peer", "open_loop"]),
    "low_load": (run_low_load, [PROGRAM, "honest_peer", "open_loop"]),
    "echo": (run_echo, [PROGRAM, "echo_peer", "open_loop"]),
}
REPETITIONS = {"low_load": 3, "echo": 3, "snapshots": 3}


def machine():
    """What the figures were measured on."""
    def first(path, prefix):
        lines = pathlib.Path(path).read_text().splitlines()
        return next((line.partition(":")[2].strip() for line in lines if line.startswith(prefix)),
                    "unknown")

    return {
        "cpu": first("/proc/cpuinfo", "model name"),
        # What the name leaves out.
        "cpu_family": first("/proc/cpuinfo", "cpu family"),
        "cpu_model": first("/proc/cpuinfo", "model\t"),
        "cores": os.cpu_count(),
        "memory": first("/proc/meminfo", "MemTotal"),
        "kernel": os.uname().release,
    }


def stolen_ticks():
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()
    return int(fields[8]), sum(map(int, fields[1:9]))


def conditions(load_before, ticks_before):
    """How quiet the machine was."""
    stolen, everything = (now - then for now, then in zip(stolen_ticks(), ticks_before))
    return {"load_before": load_before, "steal_share": round(stolen / max(1, everything), 4)}


def run_one(name, runner):
    """Runs a benchmark, writes its report, prints its table; returns its figures."""
    load, ticks = os.getloadavg()[0], stolen_ticks()
    if load > QUIET_LOAD:
        print(f"bench: the machine is not idle (load {load:.1f}): believe CPU times and ratios of "
              "one run, not wall times", file=sys.stderr)
    print(f"bench: {name}", file=sys.stderr, flush=True)
    figures = list(BENCHMARKS[name][0](runner))
    report = {
        "benchmark": name,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "machine": machine(),
        "conditions": conditions(load, ticks),
        "repetitions": runner.repetitions,
        "figures": [{**dataclasses.asdict(figure), "median": figure.median(), "met": figure.met()}
                    for figure in figures],
    }
    (runner.build / f"{name}_bench.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{table.text_of(name, figures)}", flush=True)
    return figures


def run_all(names, runner_of):
    """Runs benchmarks one after the other, and ends with one table of all of them, or of those that
    came before one that failed; False = something in it is void."""
    figures = {}
    try:
        for name in names:
            figures[name] = run_one(name, runner_of(name))
    finally:
        if len(figures) > 1:
            print(f"\n{table.text_of_all(figures)}", flush=True)
    return not any(figure.void for each in figures.values() for figure in each)


def print_help(name, runner):
    """A script prints its own, and this ends."""
    if any(target.endswith("_bench") for target in BENCHMARKS[name][1]):
        print(f"./dev bench {name} takes the arguments of Google Benchmark, such as\n"
              "--benchmark_filter=REGEX")
    else:
        list(BENCHMARKS[name][0](runner))


def main():
    # The help of one benchmark is that of its program.
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], add_help=False)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"one or more of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder")
    parser.add_argument("--repetitions", type=int, help="5, with some benchmarks 3")
    parser.add_argument("--targets", action="store_true",
                        help="print the build targets the benchmarks need, and end")
    parser.add_argument("--names", action="store_true", dest="only_names",
                        help="print the names of the benchmarks, and end")
    arguments, extra = parser.parse_known_args()
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark '{name}'; there are: {', '.join(BENCHMARKS)}")
    names = arguments.names or list(BENCHMARKS)
    if extra and len(names) != 1:
        parser.error(f"{' '.join(extra)}: name one benchmark to pass it arguments")
    if arguments.only_names:
        print(*names)
        return 0
    if arguments.targets:
        print(*sorted({target for name in names for target in BENCHMARKS[name][1]}))
        return 0
    build = arguments.build.resolve()
    if HELP & set(extra):
        print_help(names[0], Runner(build, 1, extra))
        return 0
    valid = run_all(names, lambda name: Runner(
        build, arguments.repetitions or REPETITIONS.get(name, 5), extra))
    return 0 if valid else 1


if __name__ == "__main__":
    sys.exit(main())
