"""Parameters as the canonical text writes them: durations, money, decimals, flags."""

import re
from fractions import Fraction

from oracle.values import parse_decimal, to_minor_units

_MICROS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}


def duration_us(value):
    """Microseconds of "1h30m", or of an integer, which is microseconds already."""
    if isinstance(value, int):
        return value
    parts = re.findall(r"(\d+)(us|ms|s|m|h|d)", value)
    if "".join(number + unit for number, unit in parts) != value or not parts:
        raise ValueError(f"'{value}' is not a duration")
    return sum(int(number) * _MICROS[unit] for number, unit in parts)


def money(value, stream):
    """Minor units of "4000.00"."""
    return to_minor_units(*parse_decimal(str(value)), stream.amount_scale)


def fraction(value):
    """The exact value of a decimal given as text or number."""
    unscaled, scale = parse_decimal(str(value))
    return Fraction(unscaled) * Fraction(10) ** -scale


def format_duration(micros):
    """The canonical text: the largest unit that divides it."""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        if micros % _MICROS[unit] == 0:
            return f"{micros // _MICROS[unit]}{unit}"
    raise AssertionError("unreachable: every integer is a number of microseconds")
