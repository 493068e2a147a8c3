"""Records that are no payments, and what must become of each."""

import base64
import json


def envelope(row, operation="c", commit_ms=1_700_000_000_000, **members):
    """A bare Debezium envelope around a row, as bytes."""
    source = {"db": "hand", "schema": "made", "table": "rows", "ts_ms": commit_ms}
    body = {"before": None, "after": row, "source": source, "op": operation, **members}
    return json.dumps(body).encode()


def row(row_id, account, **changes):
    """A valid row of `transactions`; a change to ... (Ellipsis) removes the column."""
    columns = {
        "id": row_id,
        "user_id": account,
        "amount": "10.00",
        "card_type": "VISA",
        "merchant_id": 7,
        "created_at": 1_700_000_000_000_000,
        **changes,
    }
    return {name: value for name, value in columns.items() if value is not ...}


def with_schema(first_id, account):
    """The JSON converter's form with schema: base64 amount, milliseconds."""
    fields = [
        {"type": "int32", "field": "id"},
        {"type": "int32", "field": "user_id"},
        {
            "type": "bytes",
            "name": "org.apache.kafka.connect.data.Decimal",
            "parameters": {"scale": "2"},
            "field": "amount",
        },
        {"type": "string", "field": "card_type"},
        {"type": "int32", "field": "merchant_id"},
        {"type": "int64", "name": "io.debezium.time.Timestamp", "field": "created_at"},
    ]
    amount = base64.b64encode((123_456).to_bytes(3, "big")).decode()
    body = row(first_id, account, amount=amount, created_at=1_700_000_000_000)
    struct = {"type": "struct", "fields": fields, "field": "after"}
    payload = json.loads(envelope(body))
    return json.dumps(
        {"schema": {"type": "struct", "fields": [struct]}, "payload": payload}
    ).encode()


def skipped(account):
    """[(value, reason)] of records that are skipped."""
    return [
        (None, "tombstone"),
        (b"null", "deleted"),
        (json.dumps(row(1, account, __deleted="true")).encode(), "deleted"),
        (envelope(None, "t"), "truncate"),
        (envelope(None, "d"), "operation"),
    ]


def rejected(first_id, account):
    """[(value, reason)] of records that are dead-lettered."""
    bad_rows = [
        (row(first_id, account, amount=...), "missing_field"),
        (row(first_id, account, user_id=...), "missing_field"),
        (row(first_id, None), "missing_account"),
        (row(first_id, account, amount=None), "missing_amount"),
        (row(first_id, account, amount="twelve"), "invalid_amount"),
        (row(first_id, account, amount="NAN"), "amount_not_finite"),
        (row(first_id, account, amount="POSITIVE_INFINITY"), "amount_not_finite"),
        (row(first_id, account, amount="12.345"), "amount_scale"),
        (row(first_id, account, amount="10000000000000.01"), "amount_out_of_range"),
        (row(first_id, account, created_at={"a": 1}), "invalid_value"),
    ]
    valid = envelope(row(first_id, account))
    return [(envelope(bad), reason) for bad, reason in bad_rows] + [
        (valid[:-1], "malformed_json"),
        (valid + b"}", "malformed_json"),
        (b"", "malformed_json"),
        (b"hello", "malformed_json"),
        (valid.replace(b"VISA", b"VI\xff\xfe"), "invalid_utf8"),
        (b"[1, 2]", "unknown_format"),
        (envelope(row(first_id, account, card_type="V" * (1 << 20))), "too_large"),
    ]


def evaluated(first_id, account):
    """Valid records in other forms than the topic's own."""
    return [
        envelope(row(first_id, account)),
        envelope(row(first_id + 1, str(account), amount=12.5)),
        envelope(row(first_id + 2, account, amount={"scale": 1, "value": "AIA="})),
        envelope(row(first_id + 3, account, created_at="2023-11-14T22:13:20.000001Z")),
        json.dumps(row(first_id + 4, account)).encode(),
        with_schema(first_id + 5, account),
    ]
