"""Reads topic records as `kcat -J` prints them: one JSON object per line."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Record:
    """One Kafka record; key and value are the exact bytes, None = Kafka null."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int  # -1 = the record has none
    key: bytes | None
    value: bytes | None
    headers: tuple = field(default=())  # (name, text or None), in order

    def header(self, name):
        """Text of the last header of that name; None = no such header."""
        found = [text for key, text in self.headers if key == name]
        return found[-1] if found else None


def _bytes(text):
    # Bytes that are not UTF-8 were read as lone surrogates (errors="surrogateescape").
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _value(fields):
    # `caracal generate` writes a value that is not UTF-8 in hex: JSON cannot hold its bytes.
    if "value_hex" in fields:
        return bytes.fromhex(fields["value_hex"])
    return _bytes(fields.get("payload"))


def parse_record(line):
    fields = json.loads(line)
    flat = fields.get("headers") or []
    return Record(
        topic=fields["topic"],
        partition=fields["partition"],
        offset=fields["offset"],
        timestamp_ms=fields.get("ts", -1),
        key=_bytes(fields.get("key")),
        value=_value(fields),
        headers=tuple(zip(flat[0::2], flat[1::2])),
    )


def parse_records(raw):
    """Records of the bytes kcat has printed, in their order."""
    text = raw.decode("utf-8", "surrogateescape")
    # Not splitlines(): it also splits at U+2028 and other characters that JSON leaves as they are.
    return [parse_record(line) for line in text.split("\n") if line]
