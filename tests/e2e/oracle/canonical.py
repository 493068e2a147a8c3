"""The one place that knows how the engine writes a ruleset down (`caracal list rulesets
--canonical`): one JSON object per line and pair of ruleset and stream, keys sorted, no white space,
defaults filled in. The ruleset's version is the first 48 bits of the SHA-256 of that line.

What is read of it; everything else is ignored:

  name, alert_above, mode
  rules[]   id, version, agent, key (the stream's key, then attributes), when {attribute: [texts]},
            score, severity, mode, parameters {as in the rule file}
  stream    topic, key, format, fields {account, id, amount, time, currency, country, latitude,
            longitude, merchant, card_type, device, attributes {}}, types {time, amount,
            base64_scale}, ops {c, r, u, d}, amount_scale, currency, max_ahead, max_record_bytes,
            places
  state     rows_per_bucket

Durations are texts ("5m") or microseconds, sizes are texts ("1MiB") or bytes. A named list stands
as {"list": name} and a place table as a checksum: their contents are arguments.
"""

import hashlib
import json
import re
from dataclasses import replace
from decimal import Decimal

from oracle.model import Rule, Ruleset, Stream
from oracle.parameters import duration_us

# Fields of a stream that rules know as attributes, by the same name.
_ATTRIBUTES = ("currency", "country", "merchant", "card_type", "device")
_SIZE_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE_UNITS |= {"kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}


def parse_rulesets(text, lists=None, places=None):
    """Rulesets of the canonical text (bytes).

    lists: {name: texts} for rules that use a named list; places: {merchant: (latitude, longitude)}
    in micro-degrees for streams with a place table.
    """
    return [_ruleset(line, lists or {}, places) for line in text.splitlines() if line.strip()]


def _ruleset(line, lists, places):
    fields = json.loads(line, parse_float=Decimal)
    stream = _stream(fields["stream"])
    if fields["stream"].get("places"):
        if places is None:
            raise ValueError(f"stream {stream.topic} has a place table: pass its contents")
        stream = replace(stream, places=places)
    rows = (fields.get("state") or {}).get("rows_per_bucket")
    if rows is not None:
        stream = replace(stream, rows_per_bucket=int(rows))
    return Ruleset(
        name=fields["name"],
        version=hashlib.sha256(line).hexdigest()[:12],
        alert_above=int(fields["alert_above"]),
        rules=tuple(_rule(rule, lists) for rule in fields["rules"]),
        stream=stream,
        mode=fields.get("mode", "enforce"),
    )


def _rule(fields, lists):
    when = fields.get("when") or {}
    return Rule(
        id=fields["id"],
        agent=fields["agent"],
        score=int(fields["score"]),
        parameters=_with_lists(fields.get("parameters") or {}, lists),
        version=int(fields.get("version", 1)),
        key_suffix=tuple(fields.get("key") or [None])[1:],
        filters={name: frozenset(_with_lists(texts, lists)) for name, texts in when.items()},
        severity=fields.get("severity", "medium"),
        mode=fields.get("mode", "enforce"),
    )


def _with_lists(value, lists):
    """`value` with the named lists put in."""
    if isinstance(value, dict):
        if set(value) == {"list"}:
            return lists[value["list"]]
        return {name: _with_lists(inner, lists) for name, inner in value.items()}
    return value


def _stream(fields):
    columns = fields["fields"]
    types = fields.get("types") or {}
    base64_scale = types.get("base64_scale")
    attributes = {name: columns[name] for name in _ATTRIBUTES if columns.get(name)}
    if fields.get("key") not in (None, columns["account"]):
        attributes["account"] = columns["account"]
    given = {
        "format": fields.get("format"),
        "time_type": types.get("time"),
        "amount_type": types.get("amount"),
        "ops": fields.get("ops"),
        "amount_scale": fields.get("amount_scale"),
        "currency": fields.get("currency") or None,
        "max_ahead_us": _or_none(duration_us, fields.get("max_ahead")),
        "max_record_bytes": _or_none(_size, fields.get("max_record_bytes")),
    }
    return Stream(
        topic=fields["topic"],
        key=fields.get("key") or columns["account"],
        account=columns["account"],
        id=columns.get("id") or None,
        amount=columns.get("amount") or None,
        time=columns.get("time") or None,
        currency_column=columns.get("currency") or None,
        latitude=columns.get("latitude") or None,
        longitude=columns.get("longitude") or None,
        attributes={**attributes, **(columns.get("attributes") or {})},
        base64_scale=None if base64_scale is None else int(base64_scale),
        **{name: value for name, value in given.items() if value is not None},
    )


def _or_none(convert, value):
    return None if value is None else convert(value)


def _size(value):
    if isinstance(value, int):
        return value
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]+)", value).groups()
    return int(number) * _SIZE_UNITS[unit]
