"""kill -9 anywhere: at random moments and at every failpoint, without waiting for recovery."""

import pathlib
import random
import re
import time
from dataclasses import dataclass, replace

from broker import Broker
from exact import Truth
from group import Group
from harness import engine
from harness.stack import REPOSITORY
from load import Feed, Load

NAME = "kill"
PROMISE = "kill -9 anywhere"
CONTROL_IN_SMALL = True
CONTROL_SEES = r"came twice"

_KILL_EVERY_S = 4
_CRASH_EVERY_S = 2  # about: members come by their failpoints when they do
# At last all that is armed waits for a partition to be taken from it: members stay away for longer
# than a session, so that the others get theirs, and have to give them back.
_KILL_AT_LAST_EVERY_S = 12
_AT_LAST_AFTER_S = 10
_AWAY_S = 5
# A member that is killed before it comes by its failpoint tries again; so often at most.
_PATIENCE_S = 120
_AT_LEAST_ONCE_ONLY = ("offsets.hold", "offsets.commit", "offsets.committed")
# Points that a life of some seconds meets once, if at all.
_SELDOM = ("partition.", "restore.", "producer.", "snapshot.tombstone")
# What must happen first for a member to come by the point at all.
_BEFORE = {"producer.renew": "transaction.offsets=delay:1100@2,"}


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    members: int
    random_kills: int
    kills_per_failpoint: int


SMALL = Plan(300_000, 20_000, 6, 3, 12, 1)
FULL = Plan(5_000_000, 200_000, 12, 3, 100, 20)
# As long as it takes to see one alert twice.
_CONTROL = {"events": 40_000, "random_kills": 4, "kills_per_failpoint": 1}


def run(plan, seed):
    return _run(plan, seed, "exactly_once")


def control(plan, seed):
    """At least once: the same kills must be seen as alerts that come twice."""
    return _run(replace(plan, **_CONTROL), seed, "at_least_once")


def failpoints():
    """All names there are; the binary must know them."""
    source = (REPOSITORY / "src/pipeline/base/failpoint.cc").read_text(encoding="utf-8")
    names = re.findall(r'^    \{"([a-z._]+)"', source, re.MULTILINE)
    program = pathlib.Path(engine.binary()).read_bytes()
    missing = [name for name in names if name.encode() not in program]
    assert names and not missing, (
        f"{engine.binary()} lacks failpoints {missing}: CARACAL_BINARY must be caracal-failpoints"
    )
    return names


def _run(plan, seed, delivery):
    rng = random.Random(seed)
    wanted = _wanted(plan, delivery)
    seconds = plan.random_kills * _KILL_EVERY_S + len(wanted) * _CRASH_EVERY_S
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, delivery=delivery)
        try:
            group.start(plan.members)
            load = Load(plan.events, plan.accounts, seed)
            feed = Feed(broker, load, plan.events // seconds)
            killer = _Killer(group, rng, plan.random_kills, wanted)
            killer.run(feed)
            feed.wait()
            group.revive()
            group.wait_until_judged(300)
            truth = Truth(broker, group)
            truth.check(group)
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return (
        f"{killer.random_kills} random kills, {killer.crashes} at {len(set(wanted))} failpoints, "
        f"{truth.records():,} records, {truth.expectation.alerts():,} alerts"
    )


def _wanted(plan, delivery):
    """The failpoints to die at, in order."""
    once = [name for name in failpoints() if name not in _AT_LEAST_ONCE_ONLY]
    return (once if delivery == "exactly_once" else list(_AT_LEAST_ONCE_ONLY)) * (
        plan.kills_per_failpoint
    )


class _Killer:
    """Kills a random member every four seconds and starts it again at once, armed to die at the next
    failpoint; one that has died there starts again armed with another."""

    def __init__(self, group, rng, random_kills, wanted):
        self._group = group
        self._rng = rng
        self._random_kills = random_kills
        self._open = list(wanted)  # failpoints nobody has died at yet
        self._armed = {}  # member -> failpoint
        self.random_kills = 0
        self.crashes = 0

    def run(self, feed):
        """feed: what the members read; goes on for as long as it takes."""
        next_kill = time.monotonic() + _KILL_EVERY_S
        since, done = time.monotonic(), self._progress()
        while self._unfinished():
            feed.keep_up()
            self._revive()
            now = time.monotonic()
            if self._progress() != done:
                since, done = now, self._progress()
            if now >= next_kill:
                at_last = self._at_last(now - since)
                next_kill = now + (_KILL_AT_LAST_EVERY_S if at_last else _KILL_EVERY_S)
                self._kill_one(at_last)
            assert now < since + _PATIENCE_S, self._describe()
            time.sleep(0.05)
        for member in self._group.members:  # no failpoint outlives the row
            if self._armed.get(member):
                member.kill()
                member.start()

    def _unfinished(self):
        waiting = [point for point in self._armed.values() if point]
        return self.random_kills < self._random_kills or self._open or waiting

    def _progress(self):
        return (min(self.random_kills, self._random_kills), self.crashes)

    def _at_last(self, idle_s):
        """Random kills alone bring nobody to what is left."""
        return self.random_kills >= self._random_kills and (
            not self._open or idle_s > _AT_LAST_AFTER_S
        )

    def _kill_one(self, at_last):
        unarmed = [member for member in self._group.members if not self._armed.get(member)]
        # What is armed still must meet a rebalance: that of the others' deaths.
        member = self._rng.choice(unarmed if at_last and unarmed else self._group.members)
        if not member.running():
            return
        member.kill()
        if at_last:
            time.sleep(_AWAY_S)
        self.random_kills += 1
        self._start_again(member, died_at=None)

    def _revive(self):
        for member in self._group.members:
            if member.running():
                continue
            assert member.exit_code() == -9, f"a member ends by itself: {member.describe()}"
            self.crashes += 1
            self._start_again(member, died_at=self._armed.get(member))

    def _start_again(self, member, died_at):
        point = self._armed.pop(member, None)
        if point and point != died_at:
            self._open.append(point)  # it was killed before it came by
        if not self._open:
            member.start()
            return
        point = self._open.pop(0)
        self._armed[member] = point
        hit = 1 if point.startswith(_SELDOM) else self._rng.randrange(1, 4)
        arming = f"{_BEFORE.get(point, '')}{point}=crash@{hit}"
        member.start(CARACAL_FAILPOINTS=arming)

    def _describe(self):
        return (
            f"nothing dies any more: {self.random_kills} random kills, {self.crashes} crashes, "
            f"armed {list(self._armed.values())}, to come {self._open}\n"
            f"{self._group.describe_progress()}"
        )
