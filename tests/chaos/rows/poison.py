"""Records that cannot be read, up to half of the load: every one becomes a dead letter with its
bytes and its reason, and nothing else changes. With on_storm: pause the partition stops there, and
goes on after `caracal resume`."""

import time
from dataclasses import dataclass, replace

from broker import Broker
from exact import Truth
from group import Group
from harness import engine
from harness.waiting import wait_until
from load import TOPIC, Load, Producer

NAME = "poison"
PROMISE = "poison 0.1-50 %; pause stops there and goes on after caracal resume"
CONTROL_IN_SMALL = False
CONTROL_SEES = r"paused and not judged"

_SHARES = (0.001, 0.5, 0.05, 0.3)
# More than generate knows: one of each in every run, as bytes.
_ODD = (
    b"\xef\xbb\xbf{}", b"\0", b"{", b"}", b"[]", b"[[]]", b"{}", b"null", b"true", b"0", b"-",
    b'""', b'"text"', b"{\"op\":\"c\"}", b'{"op":"c","source":{}}', b'{"op":"x","source":{}}',
    b'{"op":"c","source":{},"after":null}', b'{"op":"c","source":{},"after":[]}',
    b'{"op":"c","source":{},"after":1}', b'{"op":"c","source":{},"after":{}}',
    b'{"op":null,"source":{},"after":{}}', b'{"payload":{},"schema":{}}',
    b'{"payload":null,"schema":null}', b'\xff\xfe', b'{"a":"\xc3("}', b"{'op':'c'}",
    b'{"op":"c",}', b'{"a":01}', b'{"a":1e}', b'{"a":+1}', b'{"a":"\\ud800"}', b'{"a":"\\x"}',
    b"{\"a\":\"\x01\"}", b"[" * 3000 + b"]" * 3000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b"nul", b"tru", b"NaN", b"Infinity",
    b'{"a":1}{"b":2}',
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    runs: int
    pause_events: int  # of the run that pauses


SMALL = Plan(30_000, 3_000, 3, 1, 30_000)
FULL = Plan(600_000, 20_000, 6, 4, 120_000)


def run(plan, seed):
    rejected = 0
    for number in range(plan.runs):
        shares = _SHARES if plan.runs == 1 else (_SHARES[number % len(_SHARES)],)
        rejected += _continue(plan, seed + number, shares)
    resumed = _pause(plan, seed, resume=True)
    return (
        f"{plan.runs} runs, {rejected:,} records rejected of {len(_ODD)} kinds and generate's; one "
        f"that pauses, resumed {resumed} times"
    )


def control(plan, seed):
    """Nobody resumes: the run must be seen to stay where it is."""
    return f"resumed {_pause(plan, seed, resume=False)} times"


def _continue(plan, seed, shares):
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions)
        try:
            group.start(2)
            for number, value in enumerate(_ODD):
                broker.kafka.produce(TOPIC, number % plan.partitions, value, "odd")
            for number, share in enumerate(shares):
                load = Load(plan.events, plan.accounts, seed).piece(number, len(shares))
                Producer(broker, _spoiled(load, share)).wait()
            return _check(broker, group)
        finally:
            group.kill_members()


def _spoiled(load, share):
    return replace(load, noise=(("--malformed", share),))


def _check(broker, group, **settings):
    group.wait_until_judged(300)
    truth = Truth(broker, group, **settings)
    try:
        truth.check(group)
    finally:
        truth.close()
    group.stop_members()
    return len(truth.expectation.dead_letters()[1])


def _pause(plan, seed, resume):
    """How often partitions were resumed."""
    environment = {"CHAOS_ON_STORM": "pause"}
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, environment=environment)
        try:
            group.start(1)
            load = Load(plan.pause_events, plan.accounts, seed)
            Producer(broker, _spoiled(load, 0.5)).wait()
            resumed = _resume_until_judged(group, resume)
            assert resumed > 0, "no partition has paused"
            # Rows, rejects and state are the same whatever the policy.
            _check(broker, group)
            return resumed
        finally:
            group.kill_members()


def _resume_until_judged(group, resume):
    member, resumed = group.members[0], 0
    while not _judged(group):
        wait_until(
            lambda: _judged(group) or member.metric("caracal_partitions_paused") > 0,
            group.describe_progress,
            120,
        )
        if _judged(group):
            break
        before = _still(group)
        if not resume:
            raise AssertionError(f"paused and not judged: {before}")
        engine.command("resume", "--topic", TOPIC, "--admin", member.admin)
        resumed += 1
        wait_until(lambda at=before: group.kafka.committed_offsets(group.name, TOPIC) != at
                   or _judged(group), group.describe_progress, 60)
    return resumed


def _judged(group):
    ends = group.sources_end()
    return group.kafka.committed_offsets(group.name, TOPIC) == ends


def _still(group):
    """The committed offsets once they stand still for a second: all that can be judged is."""
    while True:
        committed = group.kafka.committed_offsets(group.name, TOPIC)
        time.sleep(1)
        if group.kafka.committed_offsets(group.name, TOPIC) == committed:
            return committed
