"""The outcome of a transaction is not known: the reply to its end is lost, or the request itself
stays somewhere on the way and arrives in the middle of the next transaction."""

import struct
import threading
from dataclasses import dataclass, replace

from broker import Broker
from exact import Truth
from group import Group
from harness.waiting import wait_until
from load import Load, Producer
from proxy import Api, wire

NAME = "commit"
PROMISE = "commit reply lost; indefinite commit released into the next transaction"
CONTROL_IN_SMALL = True
CONTROL_SEES = r"came twice|expected for offset|expected \d+ alerts|TORN|differ from"

_SECONDS_OF_LOAD = 3.0  # around each fault
_FAULT_SECONDS = 60
_GROUP_AUTHORIZATION_FAILED = 30  # an answer that makes the client abort


@dataclass(frozen=True)
class Plan:
    events: int
    accounts: int
    partitions: int
    members: int
    lost: int  # replies
    released: int  # held requests


SMALL = Plan(60_000, 10_000, 6, 2, 5, 5)
FULL = Plan(1_200_000, 60_000, 6, 2, 200, 200)


def run(plan, seed):
    return _run(plan, seed, {})


def control(plan, seed):
    """The producer is kept after an end without a definite answer: the released request ends the next
    transaction, and something must be missing, doubled or torn."""
    plan = replace(plan, lost=0, released=max(10, plan.released // 10))
    return _run(plan, seed, {"CARACAL_FAILPOINTS": "producer.renew=error"})


def _run(plan, seed, environment):
    faults = plan.lost + plan.released
    with Broker() as broker:
        group = Group(broker, NAME, plan.partitions, environment=environment)
        try:
            group.start(plan.members)
            late = _LateEnds(broker.proxy)
            for number in range(faults):
                load = Load(plan.events, plan.accounts, seed).piece(number, faults)
                producer = Producer(broker, load, load.events / _SECONDS_OF_LOAD)
                if number % 2 < 1 and plan.lost or not plan.released:
                    _lose_reply(broker.proxy, group)
                else:
                    late.cause(group, number % 4 == 1, silent_s=0 if number % 8 < 4 else 1.5)
                producer.wait()
            group.wait_until_judged(300)
            truth = Truth(broker, group, environment={})
            truth.check(group)
            resets = group.sum_of("caracal_producer_resets_total")
            group.stop_members()
            truth.close()
        finally:
            group.kill_members()
    return (
        f"{plan.lost} replies lost, {late.released} ends released late of which "
        f"{late.executed} were executed, {resets:.0f} producers thrown away, "
        f"{truth.records():,} records, {truth.expectation.alerts():,} alerts"
    )


def _lose_reply(proxy, group):
    """The next commit is executed; its reply never comes."""
    done = threading.Event()

    def lose(exchange):
        exchange.forward_and_lose_reply()
        done.set()

    proxy.intercept(Api.END_TXN, lose, times=1, where=wire.commits)
    _await(done, group)


class _LateEnds:
    """Swallows the end of a transaction, lets the client have it done by a second request, and gives
    the first one to the broker when the next transaction of the same member has its records and
    not its offsets. A commit would make those records visible without their offsets; an abort would
    take them away, and the offsets would be committed without them."""

    def __init__(self, proxy):
        self._proxy = proxy
        self.released = 0
        self.executed = 0

    def cause(self, group, commit, silent_s):
        """commit: or an abort. silent_s: how long the client hears nothing before its connection
        ends."""
        released = threading.Event()

        def swallow(exchange):
            owner = wire.transactional_id(exchange.request)
            held = exchange.hold_silently()

            def release(next_exchange):
                self._release(held)
                next_exchange.forward()
                released.set()

            self._before_offsets(_of(owner), release)
            threading.Timer(silent_s, held.cut_client).start()

        def swallow_end():
            self._proxy.intercept(
                Api.END_TXN, swallow, times=1, where=lambda end: wire.commits(end) == commit
            )

        def refuse(exchange):
            swallow_end()
            exchange.answer(struct.pack(">ih", 0, _GROUP_AUTHORIZATION_FAILED))

        if commit:
            swallow_end()
        else:
            self._before_offsets(None, refuse)
        _await(released, group)

    def _before_offsets(self, where, handler):
        """handler(exchange) for the AddOffsetsToTxn of the next transaction that has records."""

        def note(exchange):
            owner = wire.transactional_id(exchange.request)
            self._proxy.intercept(Api.ADD_OFFSETS_TO_TXN, handler, times=1, where=_of(owner))
            exchange.forward()

        self._proxy.intercept(Api.ADD_PARTITIONS_TO_TXN, note, times=1, where=where)

    def _release(self, held):
        answer = held.release()
        self.released += 1
        self.executed += answer[-2:] == b"\0\0"  # EndTxn v0 and v1 end with the error code


def _of(owner):
    """Requests of the member that had this transactional id, which may have another one now: its
    name with a suffix."""
    member = "-".join(owner.split("-")[:2])
    return lambda request: wire.transactional_id(request).startswith(member)


def _await(event, group):
    def happened():
        for member in group.members:
            assert member.running(), f"a member ends by itself: {member.describe()}"
        return event.is_set()

    wait_until(
        happened, lambda: f"a fault does not happen\n{group.describe_progress()}", _FAULT_SECONDS
    )
