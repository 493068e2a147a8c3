"""The words the oracle's parts exchange."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True)
class Stream:
    """How one topic is read; defaults as documented for the configuration file."""

    topic: str
    key: str  # column
    account: str  # columns of the fields, None = not mapped
    id: str | None = None
    amount: str | None = None
    time: str | None = None
    currency_column: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    attributes: dict = field(default_factory=dict)  # attribute name -> column
    format: str = "auto"
    time_type: str = "auto"
    amount_type: str = "auto"
    base64_scale: int | None = None
    ops: dict = field(
        default_factory=lambda: {"c": "evaluate", "r": "warm", "u": "skip", "d": "skip"}
    )
    amount_scale: int = 2
    currency: str | None = None
    max_ahead_us: int = 300_000_000
    max_record_bytes: int = 1 << 20
    rows_per_bucket: int = 16_384
    places: dict | None = None  # merchant -> (latitude, longitude) in micro-degrees


@dataclass(frozen=True)
class Rule:
    id: str
    agent: str
    score: int
    parameters: dict
    version: int = 1
    key_suffix: tuple = ()  # attributes after the stream's key
    filters: dict = field(default_factory=dict)  # attribute -> set of texts
    severity: str = "medium"
    mode: str = "enforce"


@dataclass(frozen=True)
class Ruleset:
    name: str
    version: str  # 12 hex digits
    alert_above: int
    rules: tuple
    stream: Stream
    mode: str = "enforce"


@dataclass(frozen=True)
class Column:
    """What the schema in a message says of one column."""

    physical: str  # Connect or Avro type: "int64", "bytes", "string", ...
    semantic: str | None = None  # logical name, "io.debezium.time.MicroTimestamp"
    scale: int | None = None  # of a decimal
    default: object = None


@dataclass(frozen=True)
class Transaction:
    """One decoded payment event."""

    key: str
    account: str
    id: str | None
    row: tuple | None  # identity for de-duplication, None = no id
    amount: int | None  # minor units
    currency: str | None
    attributes: dict  # name -> text, None = SQL NULL
    location: tuple | None  # micro-degrees
    event_time_us: int
    time_source: str
    operation: str  # c, r, u


@dataclass(frozen=True)
class Skipped:
    reason: str


@dataclass(frozen=True)
class DeadLettered:
    reason: str


@dataclass
class Finding:
    """What an agent says of one event; None instead of it = nothing raised."""

    reason: str
    observed: dict
    at_least: bool = False


class Undecidable(Exception):
    """The contract allows either answer: a real number lies too close to a threshold, or a bound of
    the engine is reached. Change the test's data, not the oracle."""


@dataclass(frozen=True)
class Near:
    """Stands in an expected alert for a number that may be off by `tolerance`."""

    value: Decimal
    tolerance: Decimal

    def matches(self, actual):
        try:
            return abs(Decimal(str(actual)) - self.value) <= self.tolerance
        except InvalidOperation:
            return False


class _Anything:
    """Stands in an expected alert for a value the contract does not fix."""

    def matches(self, _):
        return True


ANYTHING = _Anything()
