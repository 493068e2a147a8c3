"""Short ways to write records and rulesets."""

import json

import golden_decisions
import oracle

START_US = 1_700_000_000_000_000
# Ninety days later: no event time of a test lies ahead of its commit.
COMMIT_MS = START_US // 1_000 + 90 * 86_400_000

EVERY_OPERATION = {"c": "evaluate", "r": "evaluate", "u": "evaluate", "d": "skip"}
FIELDS = {
    "id": "id",
    "account": "user_id",
    "amount": "amount",
    "time": "created_at",
    "merchant": "merchant_id",
    "card_type": "card_type",
}
PLACE_FIELDS = {
    "account": "user_id",
    "time": "created_at",
    "country": "country",
    "latitude": "latitude",
    "longitude": "longitude",
}
_RULE_SETTINGS = ("key", "when", "mode", "severity", "version")


def rule(rule_id, agent, score=100, **settings):
    """A rule of the canonical text; keyword arguments that are no rule settings are parameters."""
    own = {name: settings.pop(name) for name in _RULE_SETTINGS if name in settings}
    return {"id": rule_id, "agent": agent, "score": score, "parameters": settings, **own}


def ruleset(
    *rules, name="test", alert_above=0, mode="enforce", rows_per_bucket=16_384, **stream
):
    """The parsed ruleset of the canonical text with these rules; stream: stream settings."""
    described = {
        "topic": "t",
        "key": "user_id",
        "fields": FIELDS,
        "amount_scale": 2,
        "currency": "EUR",
        "types": {"time": "us"},
        **stream,
    }
    fields = {
        "name": name,
        "alert_above": alert_above,
        "mode": mode,
        "rules": list(rules),
        "stream": described,
        "state": {"rows_per_bucket": rows_per_bucket},
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    return oracle.parse_rulesets(text)[0]


def row(row_id=1, account=1, micros=0, amount="10.00", **columns):
    """A row of `transactions`; micros: event time after START_US."""
    return {
        "id": row_id,
        "user_id": account,
        "amount": amount,
        "card_type": "VISA",
        "merchant_id": 7,
        "created_at": START_US + micros,
        **columns,
    }


def envelope(after, operation="c", **members):
    source = {"db": "d", "schema": "public", "table": "transactions", "ts_ms": COMMIT_MS}
    return {"before": None, "after": after, "source": source, "op": operation, **members}


def record(value, offset=0, partition=0, timestamp_ms=COMMIT_MS, headers=()):
    """value: bytes, None, or anything that JSON can say."""
    if value is not None and not isinstance(value, bytes):
        value = json.dumps(value).encode()
    return oracle.Record("t", partition, offset, timestamp_ms, None, value, tuple(headers))


def outcomes_of(values, *rulesets, **options):
    """Outcomes of envelopes, rows or bytes, as one partition in this order."""
    records = [record(value, offset) for offset, value in enumerate(values)]
    return oracle.judge(records, rulesets, **options)[0]


def alerts_of(rows, *rulesets, **options):
    """[(offset, ruleset, reasons)] raised by inserted rows in this order."""
    outcomes = outcomes_of([envelope(each) for each in rows], *rulesets, **options)
    return [
        (outcome.offset, alert["ruleset"], [reason["reason"] for reason in alert["reasons"]])
        for outcome in outcomes
        for alert in outcome.alerts
    ]


def alerting_offsets(rows, *rulesets, **options):
    return [offset for offset, _, _ in alerts_of(rows, *rulesets, **options)]


def reference_rulesets():
    """The two rulesets of golden_decisions."""
    profile = {"history": 50, "min_history": 3, "ratio": 3, "floor": "500.00"}
    return (
        ruleset(
            rule("profile", "amount", profile=profile, refunds="include"),
            name=golden_decisions.PROFILE,
            ops=EVERY_OPERATION,
        ),
        ruleset(
            rule("count", "velocity", window="60s", max_count=5, score=40),
            rule("amount", "amount", above="4000.00", score=50),
            name=golden_decisions.SCORE,
            alert_above=70,
            ops=EVERY_OPERATION,
        ),
    )
