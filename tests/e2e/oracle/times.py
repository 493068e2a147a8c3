"""Event times: microseconds since 1970 from whatever a column holds."""

import re

from oracle.values import Rejected

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
# What an infinite TIMESTAMP becomes.
_INFINITE = {_INT64_MIN, -_INT64_MAX, _INT64_MAX}

# Microseconds (numerator, denominator) of one unit.
_UNITS = {
    "days": (86_400_000_000, 1),
    "s": (1_000_000, 1),
    "ms": (1_000, 1),
    "us": (1, 1),
    "ns": (1, 1_000),
}
_SEMANTIC_UNITS = {
    "io.debezium.time.Date": "days",
    "io.debezium.time.Timestamp": "ms",
    "io.debezium.time.MicroTimestamp": "us",
    "io.debezium.time.NanoTimestamp": "ns",
    "org.apache.kafka.connect.data.Date": "days",
    "org.apache.kafka.connect.data.Timestamp": "ms",
    "date": "days",
    "timestamp-millis": "ms",
    "timestamp-micros": "us",
}
_ISO = re.compile(
    r"([+-]?\d{4,6})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d\d(?::?\d\d)?)?\Z",
    re.ASCII,
)


def days_from_civil(year, month, day):
    """Days since 1970-01-01 of a date of the proleptic Gregorian calendar."""
    year -= month <= 2
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def civil_from_days(days):
    """(year, month, day) of days since 1970-01-01."""
    days += 719_468
    era = days // 146_097
    day_of_era = days - era * 146_097
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + (3 if shifted_month < 10 else -9)
    return year_of_era + era * 400 + (month <= 2), month, day


def parse_iso(text):
    """Microseconds of an ISO 8601 text, UTC when it names no zone; None = not one."""
    match = _ISO.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    seconds = days_from_civil(int(year), int(month), int(day)) * 86_400
    seconds += int(hour or 0) * 3_600 + int(minute or 0) * 60 + int(second or 0)
    if zone and zone != "Z":
        offset = int(zone[1:3]) * 3_600 + int(zone[3:].lstrip(":") or 0) * 60
        seconds -= -offset if zone[0] == "-" else offset
    return seconds * 1_000_000 + int((fraction or "").ljust(6, "0")[:6])


def unit_by_magnitude(value):
    """The unit of an integer nobody has described: each covers 1973 to 5138."""
    for bound, unit in ((10**11, "s"), (10**14, "ms"), (10**17, "us")):
        if abs(value) < bound:
            return unit
    return "ns"


def parse_time(value, column, stream):
    """Microseconds; None = unusable, the commit's time is to be taken; or a Rejected."""
    if value is None:
        return None
    if isinstance(value, str):
        if value.lower().lstrip("+-") == "infinity":
            return None
        micros = parse_iso(value)
        if micros is None:
            raise Rejected("invalid_value")
        return micros
    if isinstance(value, bool) or not isinstance(value, int):
        raise Rejected("invalid_value")
    if value in _INFINITE:
        return None
    if value == 0 and (column is None or column.default == 0):
        return None  # a NULL that the converter has replaced by the default
    unit = _SEMANTIC_UNITS.get(column.semantic) if column else None
    if unit is None:
        unit = unit_by_magnitude(value) if stream.time_type == "auto" else stream.time_type
    numerator, denominator = _UNITS[unit]
    micros = value * numerator // denominator
    return micros if _INT64_MIN < micros < _INT64_MAX else None


def choose_event_time(field_micros, commit_ms, record_ms, max_ahead_us):
    """(microseconds, time source): the mapped field unless it is unusable or lies too far ahead.

    time source: "field", "source_commit" (source.ts_ms) or "record" (the Kafka timestamp).
    """
    reference = None
    if commit_ms is not None and commit_ms > 0:
        reference = (commit_ms * 1_000, "source_commit")
    elif record_ms >= 0:
        reference = (record_ms * 1_000, "record")
    if field_micros is not None and (
        reference is None or field_micros <= reference[0] + max_ahead_us
    ):
        return field_micros, "field"
    if reference is None:
        raise Rejected("missing_time")
    return reference


def format_time(micros):
    """RFC 3339 in UTC with six digits, clamped to the years 1 to 9999."""
    low = days_from_civil(1, 1, 1) * 86_400_000_000
    high = days_from_civil(10_000, 1, 1) * 86_400_000_000 - 1
    seconds, fraction = divmod(min(max(micros, low), high), 1_000_000)
    days, second_of_day = divmod(seconds, 86_400)
    year, month, day = civil_from_days(days)
    hour, rest = divmod(second_of_day, 3_600)
    minute, second = divmod(rest, 60)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z"
