"""From drains to the rows of the table."""

from lineup import (
    CARACAL,
    DISCARD,
    DISCARD_HONEST,
    ENGINE_FLOOR,
    FLOORS,
    HONEST,
)


def figures(records, drains, void):
    """[{name, unit, values, target, void}], values one per run.

    The ratios first. void: peers whose alerts differ; every ratio is void when Caracal is one.
    """
    by_who = {}
    for drain in drains:
        by_who.setdefault(drain.who, []).append(drain)
    rows = list(_ratios(records, by_who, void))
    for who, own in by_who.items():
        rows += _own_figures(records, who, own, who in void)
    return rows


def _row(name, unit, values, target="", void=False):
    return {"name": name, "unit": unit, "values": values, "target": target, "void": void}


def _ratios(records, by_who, void):
    ours = by_who[CARACAL]
    for peer, own in by_who.items():
        if peer in (CARACAL, DISCARD, DISCARD_HONEST):
            continue
        least_cpu, least_wall = FLOORS.get(peer, (None, None))
        is_void = peer in void or CARACAL in void
        yield _row(f"Caracal / {peer}: events per CPU-second", "ratio",
                   [theirs.cpu / our.cpu for our, theirs in zip(ours, own)],
                   f">= {least_cpu}" if least_cpu else "", is_void)
        yield _row(f"Caracal / {peer}: events/s", "ratio",
                   [theirs.seconds / our.seconds for our, theirs in zip(ours, own)],
                   f">= {least_wall}" if least_wall else "", is_void)
    if HONEST in by_who:
        yield _row(f"Caracal / {HONEST}: events per CPU-second, without reading", "ratio",
                   _engine_ratios(by_who), f">= {ENGINE_FLOOR}", HONEST in void or CARACAL in void)


def _engine_ratios(by_who):
    """Of the processor time beyond that of a consumer with the same queues, of each run."""
    runs = zip(by_who[CARACAL], by_who[DISCARD], by_who[HONEST], by_who[DISCARD_HONEST])
    return [(theirs.cpu - their_reading.cpu) / (our.cpu - our_reading.cpu)
            for our, our_reading, theirs, their_reading in runs]


def _own_figures(records, who, own, void):
    rows = [
        _row(f"{who}: events/s", "events/s", [records / each.seconds for each in own]),
        _row(f"{who}: events per CPU-second", "events/s", [records / each.cpu for each in own]),
        _row(f"{who}: broker CPU", "ns/event", [each.broker_cpu * 1e9 / records for each in own]),
        _row(f"{who}: peak RSS", "MiB", [each.peak_rss_kib / 1024 for each in own]),
    ]
    if own[0].cold_seconds:
        rows.append(_row(f"{who}: events/s, first drain with the start", "events/s",
                         [records / each.cold_seconds for each in own]))
    for row in rows:
        row["void"] = void
    return rows
