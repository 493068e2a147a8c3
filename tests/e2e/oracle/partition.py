"""What must come of the records of one partition, by the definitions alone.

Everything is kept: every rule sees the whole list of its key's earlier transactions and judges by
brute force. No windows that slide, no state that is updated, nothing that could be wrong in the
same way as the engine.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from oracle import agents
from oracle.alerts import alert_of
from oracle.decode import decode
from oracle.model import DeadLettered, Skipped, Undecidable


@dataclass
class Outcome:
    """What becomes of one record."""

    partition: int
    offset: int
    kind: str  # "evaluated", "warmed", "skipped", "dead_lettered"
    reason: str | None = None  # of a skip or a dead letter
    alerts: list = field(default_factory=list)  # in the order of the rulesets


class PartitionOracle:
    """Takes the records of one partition in offset order.

    rulesets: all of one stream. alert_from: offset of the first record that may alert.
    bucket_of: bucket number of a key, if rows are to be forgotten as the engine does; without it,
    no row is ever forgotten, which is the same as long as fewer than `rows_per_bucket` rows of the
    partition lie between a row and its second delivery (checked: Undecidable otherwise).
    activations: [(offset, rulesets)] by offset: from that record on, these rulesets take the place
    of those before. A rule that both have with the same state keeps its history, any other begins
    with none (all of them where keep_states is False: a control for tests).
    """

    def __init__(
        self,
        rulesets,
        *,
        schemas=None,
        alert_from=0,
        bucket_of=None,
        activations=(),
        keep_states=True,
    ):
        self._use(rulesets)
        self._activations = list(activations)
        self._keep_states = keep_states
        self._schemas = schemas
        self._alert_from = alert_from
        self._rows = _SeenRows(self._stream.rows_per_bucket, bucket_of)
        self._histories = defaultdict(list)  # (ruleset, rule, key) -> transactions

    def _use(self, rulesets):
        self._rulesets = [ruleset for ruleset in rulesets if ruleset.mode != "off"]
        self._stream = rulesets[0].stream

    def _activate(self, rulesets):
        before = _states(self._rulesets)
        self._use(rulesets)
        after = _states(self._rulesets)
        for ruleset, rule, key in list(self._histories):
            known = (before.get((ruleset, rule)), after.get((ruleset, rule)))
            if known[1] is None or not self._keep_states or not agents.same_state(*known):
                del self._histories[ruleset, rule, key]

    def take(self, record):
        while self._activations and record.offset >= self._activations[0][0]:
            self._activate(self._activations.pop(0)[1])
        decoded = decode(record, self._stream, self._schemas)
        if isinstance(decoded, Skipped):
            return Outcome(record.partition, record.offset, "skipped", decoded.reason)
        if isinstance(decoded, DeadLettered):
            return Outcome(record.partition, record.offset, "dead_lettered", decoded.reason)
        if self._rows.seen_before(decoded):
            return Outcome(record.partition, record.offset, "skipped", "duplicate")
        policy = self._stream.ops[decoded.operation]
        warm = policy == "warm" or record.offset < self._alert_from
        outcome = Outcome(record.partition, record.offset, "warmed" if warm else "evaluated")
        for ruleset in self._rulesets:
            fired = self._judge(ruleset, decoded)
            score = sum(rule.score for rule, _ in fired)
            if not warm and score > ruleset.alert_above:
                outcome.alerts.append(alert_of(ruleset, decoded, record, score, fired))
        return outcome

    def _judge(self, ruleset, event):
        """[(rule, finding)] of the enforced rules that fire, in rule order."""
        fired = []
        for rule in ruleset.rules:
            if rule.mode == "off" or not _concerns(rule, event):
                continue
            key = (event.key, *(event.attributes.get(name) for name in rule.key_suffix))
            history = self._histories[ruleset.name, rule.id, key]
            finding = agents.judge(rule, self._stream, history, event)
            history.append(event)
            if finding and rule.mode == "enforce":
                fired.append((rule, finding))
        return fired


def _states(rulesets):
    """{(ruleset, rule): rule} of the rules that run."""
    return {
        (ruleset.name, rule.id): rule
        for ruleset in rulesets
        for rule in ruleset.rules
        if rule.mode != "off"
    }


def _concerns(rule, event):
    return all(event.attributes.get(name) in values for name, values in rule.filters.items())


class _SeenRows:
    """Recognises rows delivered before; c and r together, never u."""

    def __init__(self, rows_per_bucket, bucket_of):
        self._limit = rows_per_bucket
        self._bucket_of = bucket_of
        self._positions = defaultdict(dict)  # bucket -> {row: how many rows came before it}
        self._counts = defaultdict(int)  # bucket -> rows so far

    def seen_before(self, event):
        if event.row is None or event.operation not in ("c", "r"):
            return False
        bucket = self._bucket_of(event.key) if self._bucket_of else None
        positions = self._positions[bucket]
        if event.row in positions:
            newer = self._counts[bucket] - 1 - positions[event.row]
            if newer < self._limit:
                return True
            if self._bucket_of is None:
                raise Undecidable(
                    f"row {event.row} comes again after {newer} newer rows: whether the engine "
                    "still knows it depends on its bucket"
                )
        positions[event.row] = self._counts[bucket]
        self._counts[bucket] += 1
        return False
