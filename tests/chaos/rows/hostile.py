"""A flood of accounts that pay once: memory stays within its cap, and the accounts that fit the
budget, because they pay again and again, are judged exactly."""

import json
from dataclasses import dataclass, replace

from broker import Broker
from expectation import expect
from group import Group
from harness import compare
from harness.waiting import wait_until
from load import TOPIC, Load, Producer

NAME = "hostile"
PROMISE = "hostile keys: unique accounts without end, RSS within a cap, accounts in the budget exact"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"expected \d+ alerts|expected for offset|observed"

_EARLIER_S = 10 * 86_400
_HONEST = 400  # accounts; the flood's numbers lie above


@dataclass(frozen=True)
class Plan:
    flood: int  # accounts
    honest_events: int
    partitions: int
    state_bytes: str  # per partition
    rss_mib: int


SMALL = Plan(120_000, 12_000, 3, "4MiB", 350)
FULL = Plan(20_000_000, 400_000, 3, "48MiB", 600)


def run(plan, seed):
    return _run(plan, seed, _EARLIER_S)


def control(plan, seed):
    """A flood that is newer than the honest accounts, which are evicted in its place."""
    return _run(plan, seed, -_EARLIER_S)


def _run(plan, seed, earlier_s):
    environment = {"CHAOS_STATE_BYTES": plan.state_bytes, "CHAOS_ROWS_PER_BUCKET": "256"}
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, environment=environment)
        try:
            group.start(1)
            honest = Load(plan.honest_events, _HONEST, seed, ())
            seconds = max(20, plan.flood / 30_000)
            producers = [Producer(broker, honest, plan.honest_events / seconds)]
            # The oldest key is evicted first: here the flood's, whatever arrives when.
            flood = Load(
                plan.flood,
                plan.flood,
                seed + 1,
                (),
                first_id=1 + plan.honest_events,
                earlier_s=earlier_s,
            )
            producers.append(Producer(broker, flood, flood.events / seconds))
            highest = _watch(plan, group, producers)
            group.wait_until_judged(300)
            evicted = group.sum_of("caracal_state_evictions_total")
            assert evicted > 0, "nothing was evicted: the flood was too small to prove anything"
            alerts = _check_honest(broker, group)
            group.stop_members()
        finally:
            group.kill_members()
    return (
        f"{plan.flood:,} accounts, {evicted:,.0f} evicted, RSS at most {highest:.0f} of "
        f"{plan.rss_mib} MiB, {alerts} alerts of {_HONEST} honest accounts exact"
    )


def _watch(plan, group, producers):
    """The highest RSS in MiB until all is judged."""
    member, highest = group.members[0], 0.0

    def judged():
        nonlocal highest
        highest = max(highest, member.rss_mib())
        assert highest <= plan.rss_mib, f"RSS {highest:.0f} MiB: {member.describe()}"
        sent = not any(producer.running() for producer in producers)
        return sent and group.records_committed() == sum(group.sources_end().values())

    wait_until(judged, group.describe_progress, 3600, interval_s=0.2)
    for producer in producers:
        producer.wait()
    return highest


def _check_honest(broker, group):
    """Asserts the alerts of the honest accounts; their number."""
    expectation = expect(broker, TOPIC, group.partitions, group.rulesets_text())
    for own in expectation.outcomes.values():
        for outcome in own:
            outcome.alerts = [alert for alert in outcome.alerts if _is_honest(alert)]
    records = []
    for record in group.read_stable(f"{group.name}.alerts"):
        alert = json.loads(record.value)
        if _is_honest(alert):
            # Says that the bucket has evicted keys before this one came: true, and not of this key.
            alert.pop("state_truncated", None)
            records.append(replace(record, value=json.dumps(alert).encode()))
    assert compare.check_alerts(expectation.outcomes, records, group.partitions) == 0
    return len(records)


def _is_honest(alert):
    return int(alert["account"]) <= _HONEST
