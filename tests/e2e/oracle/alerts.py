"""Alerts as the output contract (alert v1) writes them."""

import hashlib

from oracle import agents
from oracle.times import format_time
from oracle.values import format_money

_SEVERITIES = ("low", "medium", "high", "critical")


def alert_id(ruleset, version, topic, partition, offset):
    text = f"{ruleset}\n{version}\n{topic}\n{partition}\n{offset}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def alert_of(ruleset, event, record, score, fired):
    """The alert as a dict; `Near` stands for numbers that need not be equal to the last digit."""
    position = (record.topic, record.partition, record.offset)
    alert = {
        "alert_id": alert_id(ruleset.name, ruleset.version, *position),
        "schema_version": 1,
        "ruleset": ruleset.name,
        "ruleset_version": ruleset.version,
        "severity": max((rule.severity for rule, _ in fired), key=_SEVERITIES.index),
        "mode": ruleset.mode,
        "score": score,
        "alert_above": ruleset.alert_above,
        "account": event.account,
        "event_time": format_time(event.event_time_us),
        "reasons": [_reason(rule, finding, ruleset.stream) for rule, finding in fired],
        "source": dict(zip(("topic", "partition", "offset"), position)),
    }
    if event.id is not None:
        alert["transaction_id"] = event.id
    if event.amount is not None:
        alert["amount"] = format_money(event.amount, ruleset.stream.amount_scale)
    if event.currency is not None:
        alert["currency"] = event.currency
    if event.time_source != "field":
        alert["time_source"] = event.time_source
    return alert


def _reason(rule, finding, stream):
    observed = dict(finding.observed)
    if finding.at_least:
        observed["at_least"] = True
    reason = {
        "rule": rule.id,
        "agent": rule.agent,
        "reason": finding.reason,
        "score": rule.score,
        "observed": observed,
        "limit": agents.limit(rule, stream),
    }
    if rule.version != 1:
        reason["version"] = rule.version
    return reason
