"""From a record's bytes to a transaction, a skip or a dead letter."""

import re

from oracle import avro
from oracle.model import Column, DeadLettered, Skipped, Transaction
from oracle.times import choose_event_time, parse_time
from oracle.values import Rejected, canonical_text, parse_amount, parse_json, parse_micro_degrees


class _Skip(Exception):
    """Not a transaction, and nothing is wrong with it; args[0] is the reason."""


def decode(record, stream, schemas=None):
    """Transaction, Skipped or DeadLettered. schemas: Avro schemas by registry id."""
    try:
        return _decode(record, stream, schemas or {})
    except _Skip as skip:
        return Skipped(skip.args[0])
    except Rejected as rejected:
        return DeadLettered(rejected.reason)


def _decode(record, stream, schemas):
    if record.value is None:
        raise _Skip("tombstone")
    if len(record.value) > stream.max_record_bytes:
        raise Rejected("too_large")
    body, columns = _message(record.value, stream, schemas)
    row, operation, source, columns = _row(record, body, columns, stream)
    policy = stream.ops.get(operation)
    if policy is None:
        raise Rejected("unknown_format")
    if policy == "skip":
        raise _Skip("operation")
    if operation == "c" and record.header("__debezium.oldkey") is not None:
        raise _Skip("moved_row")
    if not isinstance(row, dict):
        raise Rejected("missing_field")
    return _transaction(record, row, operation, source, columns, stream)


def _message(value, stream, schemas):
    """(body, columns): columns maps "" (flat) and "after" to {column: Column}, or is None."""
    if stream.format == "confluent-avro" or (stream.format == "auto" and value[:1] == b"\0"):
        return avro.decode_message(value, schemas)
    body = parse_json(value)
    if isinstance(body, dict) and "schema" in body and "payload" in body:
        return body["payload"], _connect_columns(body["schema"])
    return body, None


def _connect_columns(schema):
    if not isinstance(schema, dict):
        return None
    by_struct = {"": _struct_columns(schema)}
    for member in schema.get("fields", ()):
        if member.get("field") == "after":
            by_struct["after"] = _struct_columns(member)
    return by_struct


def _struct_columns(struct):
    columns = {}
    for member in struct.get("fields", ()):
        scale = (member.get("parameters") or {}).get("scale")
        columns[member.get("field")] = Column(
            physical=member.get("type"),
            semantic=member.get("name"),
            scale=None if scale is None else int(scale),
            default=member.get("default"),
        )
    return columns


def _row(record, body, columns, stream):
    """(row, operation, source, columns of the row) of a message's body, or a skip."""
    if body is None:
        raise _Skip("deleted")
    if not isinstance(body, dict):
        raise Rejected("unknown_format")
    _skip_service_messages(body)
    envelope = "op" in body and "source" in body
    if stream.format == "debezium-json" and not envelope:
        raise Rejected("unknown_format")
    if envelope and stream.format != "row-json":
        if body["op"] == "t":
            raise _Skip("truncate")
        if body["op"] == "m":
            raise _Skip("message")
        after = columns.get("after") if columns else None
        return body.get("after"), body["op"], body["source"], after
    if body.get("__deleted") in ("true", True):
        raise _Skip("deleted")
    operation = body.get("__op") or record.header("__op") or "c"
    return body, operation, None, columns.get("") if columns else None


def _skip_service_messages(body):
    if set(body) == {"ts_ms"}:
        raise _Skip("heartbeat")
    if body.get("status") in ("BEGIN", "END") and "event_count" in body:
        raise _Skip("transaction_marker")


def _column(row, name):
    if name not in row:
        raise Rejected("missing_field")
    return row[name]


def _transaction(record, row, operation, source, columns, stream):
    columns = columns or {}
    source = source if isinstance(source, dict) else {}
    account = canonical_text(_column(row, stream.account))
    key = canonical_text(_column(row, stream.key))
    if account is None or key is None:
        raise Rejected("missing_account")
    amount = None
    if stream.amount:
        amount = parse_amount(_column(row, stream.amount), columns.get(stream.amount), stream)
    attributes = {
        name: canonical_text(_column(row, column)) for name, column in stream.attributes.items()
    }
    currency = _currency(row, stream)
    if stream.currency_column and stream.attributes.get("currency") == stream.currency_column:
        attributes["currency"] = currency
    field_micros = None
    if stream.time:
        field_micros = parse_time(_column(row, stream.time), columns.get(stream.time), stream)
    event_time_us, time_source = choose_event_time(
        field_micros, source.get("ts_ms"), record.timestamp_ms, stream.max_ahead_us
    )
    row_id = canonical_text(_column(row, stream.id)) if stream.id else None
    table = (source.get("db"), source.get("schema"), source.get("table"))
    return Transaction(
        key=key,
        account=account,
        id=row_id,
        row=None if row_id is None else ((table if source else record.topic), row_id),
        amount=amount,
        currency=currency,
        attributes=attributes,
        location=_location(row, attributes, stream),
        event_time_us=event_time_us,
        time_source=time_source,
        operation=operation,
    )


def _currency(row, stream):
    if not stream.currency_column:
        return stream.currency
    currency = canonical_text(_column(row, stream.currency_column))
    if currency is None or not re.fullmatch("[A-Za-z]{3}", currency):
        raise Rejected("invalid_currency")
    if stream.currency and currency.upper() != stream.currency:
        raise Rejected("invalid_currency")
    return currency.upper()


def _location(row, attributes, stream):
    """Micro-degrees from the row's columns, else of its merchant's place, else None."""
    if stream.latitude and stream.longitude:
        latitude = _column(row, stream.latitude)
        longitude = _column(row, stream.longitude)
        if latitude is not None and longitude is not None:
            return parse_micro_degrees(latitude, 90), parse_micro_degrees(longitude, 180)
    if stream.places is not None:
        return stream.places.get(attributes.get("merchant"))
    return None
