"""Confluent-framed Avro: a 0 byte, a 4-byte big-endian schema id, then the Avro binary encoding.

Values come out in the shape the JSON converter gives them (decimals as base64 text), so that the
rest of the oracle knows one shape only.
"""

import base64
import json
import struct

from oracle.model import Column
from oracle.values import Rejected

_PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


def load_schemas(lines):
    """{id: schema} of NDJSON lines {"id": 1, "schema": "<Avro schema as text>"}."""
    entries = (json.loads(line) for line in lines if line.strip())
    return {entry["id"]: json.loads(entry["schema"]) for entry in entries}


def decode_message(value, schemas):
    """(body, columns) as decode.py wants them."""
    if len(value) < 5 or value[0] != 0:
        raise Rejected("unknown_format")
    schema = schemas.get(int.from_bytes(value[1:5], "big"))
    if schema is None:
        raise Rejected("unknown_format")
    reader = _Reader(value, 5, schema)
    body = reader.read(schema)
    return body, _columns(schema, reader.names)


class _Reader:
    def __init__(self, data, position, schema):
        self.data = data
        self.position = position
        self.names = {}
        _collect_names(schema, self.names)

    def read(self, schema):
        if isinstance(schema, list):
            return self.read(schema[self._long()])
        if isinstance(schema, str) and schema not in _PRIMITIVES:
            schema = self.names[schema]
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(kind, (dict, list)):
            return self.read(kind)
        if kind == "record":
            return {member["name"]: self.read(member["type"]) for member in schema["fields"]}
        if kind == "enum":
            return schema["symbols"][self._long()]
        if kind in ("array", "map"):
            return self._blocks(schema, kind)
        value = self._primitive(kind)
        return base64.b64encode(value).decode() if kind == "bytes" else value

    def _primitive(self, kind):
        if kind == "null":
            return None
        if kind == "boolean":
            return self._take(1) != b"\0"
        if kind in ("int", "long"):
            return self._long()
        if kind == "float":
            return struct.unpack("<f", self._take(4))[0]
        if kind == "double":
            return struct.unpack("<d", self._take(8))[0]
        data = self._take(self._long())
        return data if kind == "bytes" else data.decode("utf-8")

    def _blocks(self, schema, kind):
        items = {} if kind == "map" else []
        while count := self._long():
            if count < 0:
                self._long()  # bytes of the block, for readers that skip it
            for _ in range(abs(count)):
                if kind == "map":
                    name = self._primitive("string")
                    items[name] = self.read(schema["values"])
                else:
                    items.append(self.read(schema["items"]))
        return items

    def _take(self, size):
        end = self.position + size
        if size < 0 or end > len(self.data):
            raise Rejected("unknown_format")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def _long(self):
        shift = result = 0
        while True:
            byte = self._take(1)[0]
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (result >> 1) ^ -(result & 1)


def _collect_names(schema, names):
    if isinstance(schema, list):
        for branch in schema:
            _collect_names(branch, names)
    elif isinstance(schema, dict):
        if "name" in schema and schema.get("type") in ("record", "enum", "fixed"):
            names[schema["name"]] = schema
            if "namespace" in schema:
                names[f"{schema['namespace']}.{schema['name']}"] = schema
        for member in schema.get("fields", ()):
            _collect_names(member["type"], names)
        for part in ("type", "items", "values"):
            if isinstance(schema.get(part), (dict, list)):
                _collect_names(schema[part], names)


def _columns(schema, names):
    record = _record_of(schema, names)
    by_struct = {"": _record_columns(record)}
    for member in record["fields"]:
        if member["name"] == "after":
            by_struct["after"] = _record_columns(_record_of(member["type"], names))
    return by_struct


def _record_of(schema, names):
    if isinstance(schema, list):
        schema = next(branch for branch in schema if branch != "null")
    return names[schema] if isinstance(schema, str) else schema


def _record_columns(record):
    columns = {}
    for member in record["fields"]:
        kind = member["type"]
        if isinstance(kind, list):
            kind = next((branch for branch in kind if branch != "null"), "null")
        described = kind if isinstance(kind, dict) else {"type": kind}
        columns[member["name"]] = Column(
            physical=described["type"],
            semantic=described.get("connect.name") or described.get("logicalType"),
            scale=described.get("scale"),
            default=described.get("connect.default"),
        )
    return columns
