"""Digests of the buckets of state, as members have saved them.

Equal buckets have equal content, whatever has happened to them. A copy in the state topic is whole,
or it holds what has changed since a whole one, and says the offset it belongs to. Two groups that
have read the same records must have saved buckets with the same digests.
"""

import hashlib
import struct
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field

_HEADER_BYTES = struct.Struct("<H")
_HEADER_BYTES_AT = 6
_FIELDS = struct.Struct("<IIIIqQQQQQQ")  # behind magic, format, size and the chunk's own digest
_FIELDS_AT = 24
_BASE = struct.Struct("<QQ")  # of changes: the digest of the whole image they belong to
_BASE_AT = 96
# An image: format, buckets, hash seed, layout, groups, rows; per group the id of its key,
# evictions, keys, slices; per slice an id and its bytes.
_IMAGE = struct.Struct("<IIQ16sII")
_GROUP = struct.Struct("<16sQII")
_SLICE = struct.Struct("<16sI")
_OLDER_ROWS = struct.Struct("<I")
_WHOLE, _CHANGES = 1, 0x8000_0001
_OVERLAP_MS = 60_000  # records of one partition need not be in the order of their times
_ROW_BYTES, _KEY_BYTES, _SAVED_KEY_BYTES = 8, 16, 28


class StateError(AssertionError):
    """The state topic does not hold what it must."""


@dataclass
class _Copy:
    """The chunks of one copy as far as they are known."""

    descriptions: set = field(default_factory=set)  # (chunks, digest of the image, of the base)
    pieces: dict = field(default_factory=dict)  # index -> (timestamp in ms, bytes)
    digest: str = None  # of the bucket, once it is known

    def image(self):
        """None when chunks are missing."""
        count = next(iter(self.descriptions))[0]
        if len(self.pieces) != count:
            return None
        return b"".join(self.pieces[index][1] for index in range(count))

    def written_ms(self):
        return min(timestamp for timestamp, _ in self.pieces.values())


class Copies:
    """The copies of buckets in a state topic; each look reads only what has come since the last."""

    def __init__(self, bootstrap, topic):
        self._bootstrap = bootstrap
        self._topic = topic
        self._known = defaultdict(_Copy)  # (partition, bucket, offset, base) -> its chunks
        self._deleted = set()  # keys of chunks
        self._newest_ms = 0

    def complete(self, since_ms):
        """{(partition, bucket): {offset: digest of the bucket}} of the complete copies written
        since; of changes whose whole copy is there, too.

        since_ms: milliseconds since 1970.
        """
        after_ms = max(0, self._newest_ms - _OVERLAP_MS)
        for partition, timestamp_ms, key, value in _read(self._bootstrap, self._topic, after_ms):
            self._newest_ms = max(self._newest_ms, timestamp_ms)
            if value:
                _note_chunk(partition, timestamp_ms, key, value, self._known)
                self._deleted.discard(key)
            else:
                self._deleted.add(key)
        self._deleted = {key for key in self._deleted if not self._forget(key, since_ms)}
        return self._digests(since_ms)

    def _forget(self, key, since_ms):
        """Drops a chunk that was deleted and is not asked for, so that memory holds what counts.
        False = it is asked for."""
        place = _place(key)
        if place is None:
            return True
        _, partition, bucket, offset, index, base = place
        copy = self._known.get((partition, bucket, offset, base))
        if copy is None or index not in copy.pieces:
            return True
        if copy.pieces[index][0] >= since_ms:
            return False
        del copy.pieces[index]
        if not copy.pieces:
            del self._known[partition, bucket, offset, base]
        return True

    def _digests(self, since_ms):
        complete = defaultdict(dict)
        for (partition, bucket, offset, base), copy in self._known.items():
            if copy.written_ms() < since_ms:
                continue
            if len(copy.descriptions) > 1:
                raise StateError(
                    f"bucket {bucket} of partition {partition} was saved twice at offset {offset}, "
                    f"with different content: {copy.descriptions}"
                )
            if copy.digest is None:
                content = _content(copy, self._known.get((partition, bucket, base, None)))
                if content is None:
                    continue
                copy.digest = _digest(content)
            if complete[partition, bucket].setdefault(offset, copy.digest) != copy.digest:
                raise StateError(
                    f"bucket {bucket} of partition {partition} was saved whole and as changes at "
                    f"offset {offset}, with different content"
                )
        return {place: by_offset for place, by_offset in complete.items() if by_offset}


def _content(copy, base):
    """What the copy says of its bucket, as _take_apart does; None when something is missing."""
    image = copy.image()
    (_, _, base_digest) = next(iter(copy.descriptions))
    if image is None or base_digest is None:
        return image and _take_apart(image)
    if base is None or len(base.descriptions) != 1 or base.image() is None:
        return None
    if next(iter(base.descriptions))[1] != base_digest:
        return None
    return _with_changes(_take_apart(base.image()), _take_apart(image))


def _take_apart(image):
    """(layout, how many older rows there are besides, rows, [(evictions, {key: entry})])."""
    form, _, _, layout, group_count, row_count = _IMAGE.unpack_from(image)
    position, older = _IMAGE.size, 0
    if form == _CHANGES:
        (older,) = _OLDER_ROWS.unpack_from(image, position)
        position += _OLDER_ROWS.size
    elif form != _WHOLE:
        raise StateError(f"an image of format {form}; teach tests/chaos/state_topic.py")
    headers = []
    for _ in range(group_count):
        _, evictions, keys, slices = _GROUP.unpack_from(image, position)
        position += _GROUP.size
        sizes = [_SLICE.unpack_from(image, position + i * _SLICE.size)[1] for i in range(slices)]
        position += slices * _SLICE.size
        headers.append((evictions, keys, _SAVED_KEY_BYTES + sum(sizes)))
    rows = image[position : position + row_count * _ROW_BYTES]
    position += len(rows)
    groups = []
    for evictions, keys, entry_bytes in headers:
        end = position + keys * entry_bytes
        entries = (image[at : at + entry_bytes] for at in range(position, end, entry_bytes))
        groups.append((evictions, {entry[:_KEY_BYTES]: entry for entry in entries}))
        position = end
    if position != len(image):
        raise StateError(f"an image of {len(image)} bytes ends at {position}")
    return layout, older, rows, groups


def _with_changes(whole, changes):
    layout, _, rows, groups = whole
    changed_layout, older, new_rows, changed = changes
    kept = rows[len(rows) - older * _ROW_BYTES :]
    evictions = [[count for count, _ in side] for side in (groups, changed)]
    if layout != changed_layout or evictions[0] != evictions[1]:
        raise StateError("changes that are not of the bucket they are said to be of")
    merged = [(count, {**old, **new}) for (count, old), (_, new) in zip(groups, changed)]
    return layout, 0, kept + new_rows, merged


def _digest(content):
    layout, _, rows, groups = content
    digest = hashlib.sha256(layout + rows)
    for evictions, entries in groups:
        digest.update(f"{evictions} {len(entries)}".encode())
        for key in sorted(entries):
            digest.update(entries[key])
    return digest.hexdigest()


def chunks(bootstrap, topic):
    """{key: (bucket, offset)} of the chunks that are there and have not been deleted."""
    there = {}
    for _, _, key, value in _read(bootstrap, topic):
        place = _place(key)
        if place and value:
            there[key.decode()] = place[2:4]
        elif place:
            there.pop(key.decode(), None)
    return there


def _place(key):
    """(format, partition, bucket, offset, index, offset of the base or None) that the key of a
    chunk names; None of another."""
    kind, *parts = key.decode().split("/")
    if kind not in ("bucket", "changes"):
        return None
    base = int(parts.pop(5)) if kind == "changes" else None
    form, _, partition, bucket, _, offset, index = parts
    return form, int(partition), int(bucket), int(offset), int(index), base


def _note_chunk(partition, timestamp_ms, key, value, known):
    place = _place(key)
    if place is None:
        return
    form, source_partition, bucket, offset, index, base = place
    if form != "1" or value[:4] != b"CRCB":
        raise StateError(f"{key!r}: another format; teach tests/chaos/state_topic.py")
    fields = _FIELDS.unpack_from(value, _FIELDS_AT)
    if source_partition != partition or fields[4] != offset:
        raise StateError(f"{key!r} lies in partition {partition} and is of offset {fields[4]}")
    base_digest = None if base is None else _BASE.unpack_from(value, _BASE_AT)
    (header_bytes,) = _HEADER_BYTES.unpack_from(value, _HEADER_BYTES_AT)
    copy = known[partition, bucket, offset, base]
    copy.descriptions.add((fields[2], fields[9:11], base_digest))
    copy.pieces[index] = (timestamp_ms, value[header_bytes:])


def _read(bootstrap, topic, after_ms=0):
    """(partition, timestamp in ms, key, value) of the committed records written at `after_ms` or
    later, each partition in order; value empty = tombstone."""
    program = ["timeout", "300", "kcat", "-C", "-q", "-e", "-b", bootstrap, "-t", topic]
    program += ["-o", f"s@{after_ms}" if after_ms else "beginning"]
    program += ["-X", "isolation.level=read_committed"]
    program += ["-f", r"%p %T %K %S\n%k%s"]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=errors) as kcat:
            while line := kcat.stdout.readline():
                partition, timestamp_ms, key_size, value_size = map(int, line.split())
                key = kcat.stdout.read(max(0, key_size))
                yield partition, timestamp_ms, key, kcat.stdout.read(max(0, value_size))
        if kcat.returncode != 0:
            errors.seek(0)
            raise StateError(f"kcat: {errors.read().decode(errors='replace').strip()}")
