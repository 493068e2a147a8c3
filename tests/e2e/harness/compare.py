"""Compares what the engine has written with what the oracle expects, and names the first
difference in words."""

import json
from collections import defaultdict



def describe_difference(expected, actual, path=""):
    """The first difference of two JSON values as a sentence; None = equal. A `Near` or ANYTHING in
    `expected` accepts what it matches."""
    if hasattr(expected, "matches"):
        if expected.matches(actual):
            return None
        wanted = f"{expected.value} ± {expected.tolerance}"
        return f"{path}: expected {wanted}, got {json.dumps(actual)}"
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in sorted(set(expected) | set(actual)):
            inner = f"{path}.{name}" if path else name
            if name not in actual:
                return f"{inner}: missing, expected {_text(expected[name])}"
            if name not in expected:
                return f"{inner}: not expected, got {json.dumps(actual[name])}"
            if difference := describe_difference(expected[name], actual[name], inner):
                return difference
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        for i, (one, other) in enumerate(zip(expected, actual)):
            if difference := describe_difference(one, other, f"{path}[{i}]"):
                return difference
        if len(expected) != len(actual):
            return f"{path}: expected {len(expected)} items, got {len(actual)}"
        return None
    if type(expected) is not type(actual) or expected != actual:
        return f"{path}: expected {_text(expected)}, got {json.dumps(actual)}"
    return None


def _text(value):
    return json.dumps(value, default=str)


def check_alerts(outcomes, records, alert_partitions):
    """Asserts that the records of the alerts topic are the expected alerts.

    outcomes: oracle.judge(). Per source partition the alerts must come in the order of the offsets
    once repeated ones (equal alert_id) are dropped, each equal to the oracle's, under the key, the
    partition and the headers of the contract. Returns the number of repeated alerts.
    """
    actual, repeated = _group_alerts(records, alert_partitions)
    for partition, own in outcomes.items():
        expected = [alert for outcome in own for alert in outcome.alerts]
        _check_sequence(partition, expected, actual.pop(partition, []))
    assert not actual, f"alerts on partitions that have no records: {sorted(actual)}"
    return repeated


def _group_alerts(records, alert_partitions):
    actual = defaultdict(list)
    payloads = {}
    repeated = 0
    for record in records:
        alert = json.loads(record.value)
        where = f"alert {record.partition}/{record.offset}"
        source = alert["source"]
        assert record.partition == source["partition"] % alert_partitions, (
            f"{where} of source partition {source['partition']} is in the wrong partition"
        )
        assert record.key == alert["account"].encode(), f"{where}: key {record.key!r}"
        assert record.header("content-type") == "application/json", f"{where}: {record.headers}"
        assert record.header("caracal-ruleset") == alert["ruleset"], f"{where}: {record.headers}"
        known = payloads.setdefault(alert["alert_id"], record.value)
        if known is record.value:
            actual[source["partition"]].append(alert)
        else:
            assert known == record.value, f"{where} repeats an alert_id with other bytes"
            repeated += 1
    return actual, repeated


def _check_sequence(partition, expected, actual):
    for position, (one, other) in enumerate(zip(expected, actual)):
        difference = describe_difference(one, other)
        assert difference is None, (
            f"partition {partition}, alert {position} (expected for offset "
            f"{one['source']['offset']}): {difference}\nexpected {_text(one)}\nactual   "
            f"{_text(other)}"
        )
    if len(expected) != len(actual):
        longer, what = (expected, "missing") if len(expected) > len(actual) else (actual, "extra")
        first = longer[min(len(expected), len(actual))]
        raise AssertionError(
            f"partition {partition}: expected {len(expected)} alerts, got {len(actual)}; first "
            f"{what} one: {_text(first)}"
        )


def check_dead_letters(outcomes, records, sources):
    """Asserts that the dead letters are exactly the expected ones, bytes untouched. Repeated ones
    (equal position) are dropped. sources: the source records."""
    originals = {(record.partition, record.offset): record for record in sources}
    expected = {
        (outcome.partition, outcome.offset): outcome.reason
        for own in outcomes.values()
        for outcome in own
        if outcome.kind == "dead_lettered"
    }
    actual = {}
    for record in records:
        position = tuple(
            int(record.header(f"__connect.errors.{name}")) for name in ("partition", "offset")
        )
        assert position in originals, f"dead letter of {position}, which was not expected"
        actual[position] = record.header("caracal-reason")
        original = originals[position]
        assert record.header("__connect.errors.topic") == original.topic, record.headers
        assert record.value == original.value, f"dead letter of {position}: value changed"
        assert record.key == original.key, f"dead letter of {position}: key changed"
    for position in sorted(set(expected) | set(actual)):
        assert expected.get(position) == actual.get(position), (
            f"record {position}: expected dead letter {expected.get(position)}, got "
            f"{actual.get(position)}; value {originals[position].value!r}"
        )


def expected_alert_ids(outcomes):
    return {alert["alert_id"] for own in outcomes.values() for o in own for alert in o.alerts}


def count(outcomes):
    """{kind or "kind{reason}": number of records}."""
    counts = defaultdict(int)
    for own in outcomes.values():
        for outcome in own:
            counts[outcome.kind] += 1
            if outcome.reason:
                counts[f"{outcome.kind}{{{outcome.reason}}}"] += 1
    return dict(counts)
