"""OffsetFetch replies, versions 6 and 7, changed on their way."""

import struct

from proxy.wire import ProtocolError

_VERSIONS = (6, 7)
_NONE = -1


def without_offsets(request, frame):
    """The reply of a coordinator that knows of no committed offset: every one is -1."""
    if request.version not in _VERSIONS:
        raise ProtocolError(f"OffsetFetch version {request.version}: teach proxy/offsets.py")
    changed = bytearray(frame)
    position = 4 + 4  # size, correlation id
    position = _skip_tags(frame, position) + 4  # throttle time
    topics, position = _varint(frame, position)
    for _ in range(topics - 1):
        position = _skip_text(frame, position)
        partitions, position = _varint(frame, position)
        for _ in range(partitions - 1):
            struct.pack_into(">q", changed, position + 4, _NONE)
            position = _skip_text(frame, position + 4 + 8 + 4)  # index, offset, epoch; metadata
            position = _skip_tags(frame, position + 2)  # error
        position = _skip_tags(frame, position)
    return bytes(changed)


def _varint(frame, position):
    value = shift = 0
    while True:
        byte = frame[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def _skip_text(frame, position):
    """Behind a compact string, which may be null."""
    size, position = _varint(frame, position)
    return position + max(0, size - 1)


def _skip_tags(frame, position):
    count, position = _varint(frame, position)
    for _ in range(count):
        _, position = _varint(frame, position)
        size, position = _varint(frame, position)
        position += size
    return position
