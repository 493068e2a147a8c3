"""What it means that two programs have raised the same alerts: the same payments, rulesets, scores
and rules, each as often."""

import json
from collections import Counter

_SHOWN = 3


def identity(alert):
    """What must be equal of an alert, hashable. Texts, measurements and the order of the alerts may
    differ."""
    source = alert["source"]
    return (
        source["partition"],
        source["offset"],
        alert["ruleset"],
        alert["score"],
        alert["account"],
        alert["transaction_id"],
        alert["amount"],
        tuple(sorted((reason["rule"], reason["score"]) for reason in alert["reasons"])),
    )


def alert_set(values):
    """{identity: how often} of alerts in JSON."""
    return Counter(identity(json.loads(value)) for value in values)


def difference(expected, actual):
    """How two alert sets differ, in a sentence; None = they are equal."""
    missing, extra = expected - actual, actual - expected
    if not missing and not extra:
        return None
    return "; ".join(
        f"{sum(alerts.values())} {what}, such as {_some(alerts)}"
        for what, alerts in (("missing", missing), ("not expected", extra))
        if alerts
    )


def _some(alerts):
    return ", ".join(str(each) for each in sorted(alerts, key=repr)[:_SHOWN])
