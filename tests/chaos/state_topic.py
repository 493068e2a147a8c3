"""Digests of the buckets of state, as members have saved them.

Equal buckets have equal images, whatever has happened to them; a copy in the state topic carries
the digest of its image and the offset it belongs to. Two groups that have read the same records
must have saved the same digests.
"""

import struct
import subprocess
from collections import defaultdict

_FIELDS = struct.Struct("<IIIIqQQQQQQ")  # behind magic, format, size and the chunk's own digest
_FIELDS_AT = 24


class StateError(AssertionError):
    """The state topic does not hold what it must."""


def copies(bootstrap, topic, since_ms):
    """{(partition, bucket): {offset: digest of the image}} of the complete copies written since.

    since_ms: milliseconds since 1970.
    """
    chunks = defaultdict(dict)  # (partition, bucket, offset) -> {index: description}
    for partition, key, value in _read(bootstrap, topic, since_ms):
        if value:
            _note_chunk(partition, key, value, chunks)
    complete = defaultdict(dict)
    for (partition, bucket, offset), known in chunks.items():
        descriptions = set(known.values())
        if len(descriptions) > 1:
            raise StateError(
                f"bucket {bucket} of partition {partition} was saved twice at offset {offset}, "
                f"with different content: {descriptions}"
            )
        count, digest = descriptions.pop()
        if len(known) == count:
            complete[partition, bucket][offset] = digest
    return dict(complete)


def chunks(bootstrap, topic):
    """{key: (bucket, offset)} of the chunks that are there and have not been deleted."""
    there = {}
    for _, key, value in _read(bootstrap, topic, since_ms=0):
        place = _place(key)
        if place and value:
            there[key.decode()] = place[2:4]
        elif place:
            there.pop(key.decode(), None)
    return there


def _place(key):
    """(format, partition, bucket, offset, index) that the key of a chunk names; None of another."""
    parts = key.decode().split("/")
    if parts[0] != "bucket":
        return None
    form, _, partition, bucket, _, offset, index = parts[1:]
    return form, int(partition), int(bucket), int(offset), int(index)


def _note_chunk(partition, key, value, chunks):
    place = _place(key)
    if place is None:
        return
    form, source_partition, bucket, offset, index = place
    if form != "1" or value[:4] != b"CRCB":
        raise StateError(f"{key!r}: another format; teach tests/chaos/state_topic.py")
    fields = _FIELDS.unpack_from(value, _FIELDS_AT)
    count, digest = fields[2], f"{fields[10]:016x}{fields[9]:016x}"
    if source_partition != partition or fields[4] != offset:
        raise StateError(f"{key!r} lies in partition {partition} and is of offset {fields[4]}")
    chunks[partition, bucket, offset][index] = (count, digest)


def _read(bootstrap, topic, since_ms):
    """(partition, key, value) of the committed records, each partition in order; value empty =
    tombstone."""
    program = ["kcat", "-C", "-q", "-e", "-b", bootstrap, "-t", topic, "-o", f"s@{since_ms}"]
    program += ["-X", "isolation.level=read_committed", "-f", r"%p %K %S\n%k%s"]
    done = subprocess.run(program, capture_output=True, timeout=300)
    if done.returncode != 0:
        raise StateError(f"kcat: {done.stderr.decode(errors='replace').strip()}")
    data, position = done.stdout, 0
    while position < len(data):
        line_end = data.index(b"\n", position)
        partition, key_size, value_size = map(int, data[position:line_end].split())
        begin_value = line_end + 1 + max(0, key_size)
        position = begin_value + max(0, value_size)
        yield partition, data[line_end + 1 : begin_value], data[begin_value:position]
