"""When a consumer group has committed what, as the broker's own log of it says.

Asking for the offsets until they are there is as exact as the pause between two questions, and each
takes processor time from whoever is measured.
"""

import struct

TOPIC = "__consumer_offsets"
_OFFSET_KEYS = (0, 1)  # versions of keys that stand for an offset


def partition_of(group, partitions):
    """Where the broker keeps a group: Java's hash of its name, which must be ASCII."""
    code = 0
    for byte in group.encode("ascii"):
        code = (31 * code + byte) & 0xFFFFFFFF
    # Of the most negative number Kafka takes 0.
    return (0 if code == 0x80000000 else min(code, 2**32 - code)) % partitions


def commits(records, group, topic):
    """(partition, offset, time in ms since 1970) of each commit of a group in a topic, in order.
    records: of a partition of TOPIC."""
    for record in records:
        if record.key is None or record.value is None:
            continue
        key = _offset_key(record.key)
        if key is not None and key[:2] == (group, topic):
            yield key[2], struct.unpack_from(">q", record.value, 2)[0], record.timestamp_ms


def reached_ms(records, group, topic, ends):
    """The time, in ms since 1970, from which on every committed offset has reached its end. ends:
    {partition: offset}. Commits within a transaction count from when they were written in it, a
    millisecond or two before it ends. None = some have not been reached."""
    first = {}
    for partition, offset, time_ms in commits(records, group, topic):
        if offset >= ends.get(partition, offset + 1):
            first.setdefault(partition, time_ms)
    wanted = {partition for partition, end in ends.items() if end > 0}
    return max(first[partition] for partition in wanted) if wanted <= first.keys() else None


def read_reached_ms(kafka, group, topic, ends):
    """reached_ms of what the broker has."""
    partition = partition_of(group, kafka.partition_count(TOPIC))
    return reached_ms(kafka.read(TOPIC, partition), group, topic, ends)


def _offset_key(key):
    """(group, topic, partition) of the key of an offset; None = of something else."""
    if struct.unpack_from(">h", key)[0] not in _OFFSET_KEYS:
        return None
    group, position = _text(key, 2)
    topic, position = _text(key, position)
    return group, topic, struct.unpack_from(">i", key, position)[0]


def _text(data, position):
    size = struct.unpack_from(">h", data, position)[0]
    position += 2
    return data[position:position + size].decode(), position + size
