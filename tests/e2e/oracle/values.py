"""Exact values out of JSON: numbers, money in minor units, times in microseconds, texts.

Nothing here goes through a float: JSON numbers are int or decimal.Decimal.
"""

import base64
import binascii
import json
import re
from decimal import Decimal
from fractions import Fraction

MAX_AMOUNT = 10**15  # minor units

_DECIMAL = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\Z", re.ASCII)
_NOT_FINITE = {"nan", "infinity", "-infinity", "positive_infinity", "negative_infinity"}
# What Debezium writes for a large column that an update has not touched.
UNAVAILABLE = "__debezium_unavailable_value"


class Rejected(Exception):
    """The record's bytes do not yield a transaction; args[0] is the dead letter's reason."""

    @property
    def reason(self):
        return self.args[0]


def parse_json(data):
    """The JSON value of bytes. The first of several equal keys counts."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected("invalid_utf8") from None
    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=lambda pairs: dict(reversed(pairs)),
        )
    except RecursionError:
        raise Rejected("too_deep") from None
    except ValueError:
        raise Rejected("malformed_json") from None


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def canonical_text(value):
    """The text of a key or attribute: 1042 and "1042" are one; None = SQL NULL."""
    if value is None or value == UNAVAILABLE:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, str, Decimal)):
        return str(value)
    raise Rejected("invalid_value")


def parse_decimal(text):
    """(unscaled, scale) of a decimal text with optional exponent; None = not a number."""
    match = _DECIMAL.match(text)
    if not match:
        return None
    sign, whole, fraction, exponent = match.groups()
    fraction = fraction or ""
    unscaled = int(sign + whole + fraction)
    return unscaled, len(fraction) - int(exponent or 0)


def to_minor_units(unscaled, scale, target_scale):
    """unscaled × 10^-scale in units of 10^-target_scale, exactly, or a Rejected."""
    if unscaled == 0:
        return 0
    if scale < -100:  # at least 10^100: spare us the number itself
        raise Rejected("amount_out_of_range")
    minor = Fraction(unscaled) * Fraction(10) ** (target_scale - scale)
    if minor.denominator != 1:
        raise Rejected("amount_scale")
    if abs(minor) > MAX_AMOUNT:
        raise Rejected("amount_out_of_range")
    return int(minor)


def decode_base64_integer(text):
    """Big-endian two's complement in base64, as Debezium writes NUMERIC; else invalid_amount."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise Rejected("invalid_amount") from None
    if not data:
        raise Rejected("invalid_amount")
    return int.from_bytes(data, "big", signed=True)


def parse_amount(value, column, stream):
    """Minor units of an amount in any of its encodings.

    column: what the message's schema says of the field, or None; stream: amount_type and
    base64_scale for what the message does not say, amount_scale of the result.
    """
    if value is None:
        raise Rejected("missing_amount")
    if isinstance(value, dict):
        if not isinstance(value.get("scale"), int) or "value" not in value:
            raise Rejected("invalid_amount")
        unscaled = decode_base64_integer(value["value"])
        return to_minor_units(unscaled, value["scale"], stream.amount_scale)
    if isinstance(value, (bool, list)):
        raise Rejected("invalid_amount")
    if isinstance(value, str) and _is_base64(column, stream):
        scale = column.scale if column and column.scale is not None else stream.base64_scale
        if scale is None:
            raise Rejected("amount_scale_unknown")
        return to_minor_units(decode_base64_integer(value), scale, stream.amount_scale)
    text = str(value)
    if text.lower() in _NOT_FINITE:
        raise Rejected("amount_not_finite")
    parsed = parse_decimal(text)
    if parsed is None:
        raise Rejected("invalid_amount")
    return to_minor_units(*parsed, stream.amount_scale)


def _is_base64(column, stream):
    if column is not None:
        return column.physical == "bytes"
    return stream.amount_type == "base64"


def parse_micro_degrees(value, bound):
    """Micro-degrees of a coordinate given as a number or decimal text."""
    parsed = None if isinstance(value, (bool, dict, list)) else parse_decimal(str(value))
    if parsed is None:
        raise Rejected("invalid_value")
    micro = Fraction(parsed[0]) * Fraction(10) ** (6 - parsed[1])
    if abs(micro) > bound * 10**6:
        raise Rejected("invalid_value")
    return round(micro)


def format_money(minor, scale):
    """Minor units as a decimal text with `scale` digits after the point."""
    digits = str(abs(minor)).rjust(scale + 1, "0")
    text = digits if scale == 0 else f"{digits[:-scale]}.{digits[-scale:]}"
    return "-" + text if minor < 0 else text
