"""Kafka's framing: a size of four bytes, then a request header or a correlation id."""

import enum
import struct
from dataclasses import dataclass

_SIZE = struct.Struct(">i")
_REQUEST_HEADER = struct.Struct(">hhih")
_MAX_FRAME_BYTES = 256 << 20


class Api(enum.IntEnum):
    """The requests the tests name; others pass by their number."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    API_VERSIONS = 18
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class ProtocolError(Exception):
    """The bytes are not Kafka's protocol."""


@dataclass(frozen=True)
class Request:
    """The header of a request, and the whole frame with its size."""

    api: int
    version: int
    correlation_id: int
    client_id: str | None
    body: bytes  # behind the client id: tagged fields of newer headers included
    frame: bytes


def parse_request(frame):
    """The request in a frame, size included."""
    fixed = frame[_SIZE.size : _SIZE.size + _REQUEST_HEADER.size]
    if len(fixed) < _REQUEST_HEADER.size:
        raise ProtocolError(f"a request of {len(frame)} bytes has no header")
    api, version, correlation_id, id_size = _REQUEST_HEADER.unpack(fixed)
    begin = _SIZE.size + _REQUEST_HEADER.size
    end = begin + max(id_size, 0)
    if end > len(frame):
        raise ProtocolError(f"a client id of {id_size} bytes in a request of {len(frame)}")
    client_id = None if id_size < 0 else frame[begin:end].decode(errors="replace")
    return Request(api, version, correlation_id, client_id, frame[end:], frame)


def correlation_id(frame):
    """That of a response frame."""
    if len(frame) < 2 * _SIZE.size:
        raise ProtocolError(f"a response of {len(frame)} bytes has no header")
    return _SIZE.unpack_from(frame, _SIZE.size)[0]


def read_frame(connection):
    """The next frame with its size, b"" at the end of the stream."""
    size = _receive(connection, _SIZE.size)
    if len(size) < _SIZE.size:
        return b""
    length = _SIZE.unpack(size)[0]
    if not 0 < length <= _MAX_FRAME_BYTES:
        raise ProtocolError(f"a frame of {length} bytes")
    body = _receive(connection, length)
    return size + body if len(body) == length else b""


def _receive(connection, size):
    data = bytearray()
    while len(data) < size:
        chunk = connection.recv(min(size - len(data), 1 << 16))
        if not chunk:
            return b""
        data += chunk
    return bytes(data)


def transactional_id(request):
    """Of an EndTxn, AddOffsetsToTxn, AddPartitionsToTxn or TxnOffsetCommit request before the
    flexible versions: the first field."""
    size = struct.unpack_from(">h", request.body)[0]
    return request.body[2 : 2 + size].decode()


def commits(end_txn):
    """Whether an EndTxn request commits; it aborts otherwise. Before the flexible versions."""
    size = struct.unpack_from(">h", end_txn.body)[0]
    return end_txn.body[2 + size + 8 + 2] != 0  # behind the producer's id and epoch
