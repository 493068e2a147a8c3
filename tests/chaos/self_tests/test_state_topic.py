import struct
import unittest
from unittest import mock

import state_topic

_MINUTE_MS = 60_000


def image(keys):
    """A whole image of one group whose keys have a slice of two bytes each."""
    head = struct.pack("<IIQ16sII", 1, 16, 7, b"layout", 1, 0)
    group = struct.pack("<16sQII", b"group", 0, len(keys), 1) + struct.pack("<16sI", b"slice", 2)
    entries = [key.encode().ljust(16) + bytes(12) + value.encode() for key, value in keys.items()]
    return head + group + b"".join(entries)


def record(offset, content, at_ms, index=0, count=1):
    """(partition, timestamp, key, value) of a chunk of bucket 3 of partition 0."""
    value = b"CRCB" + struct.pack("<HH", 1, 96) + bytes(16)
    value += struct.pack("<IIIIqQQQQQQ", 0, 3, count, index, offset, 0, 0, 0, 0, offset, 1)
    return 0, at_ms, key(offset, index), value.ljust(96, b"\0") + content


def key(offset, index=0):
    return f"bucket/1/t/0/3/layout/{offset}/{index}".encode()


class CopiesTest(unittest.TestCase):
    def setUp(self):
        self.log = []
        self.asked = []
        patch = mock.patch.object(state_topic, "_read", self._read)
        patch.start()
        self.addCleanup(patch.stop)
        self.copies = state_topic.Copies("broker", "topic")

    def _read(self, _bootstrap, _topic, after_ms=0):
        self.asked.append(after_ms)
        return [entry for entry in self.log if entry[1] >= after_ms]

    def complete(self, since_ms=0):
        return self.copies.complete(since_ms).get((0, 3), {})

    def test_a_copy_counts_when_all_its_chunks_have_come(self):
        content = image({"a": "11", "b": "22"})
        self.log = [record(10, content[:50], 1, index=0, count=2)]
        self.assertEqual(self.complete(), {})
        self.log.append(record(10, content[50:], 2, index=1, count=2))
        self.assertEqual(set(self.complete()), {10})

    def test_equal_content_has_equal_digests_wherever_it_lies(self):
        self.log = [record(10, image({"a": "11", "b": "22"}), 1),
                    record(20, image({"b": "22", "a": "11"}), 2),
                    record(30, image({"a": "11", "b": "23"}), 3)]
        digests = self.complete()
        self.assertEqual(digests[10], digests[20])
        self.assertNotEqual(digests[10], digests[30])

    def test_later_looks_read_what_is_new_and_remember_the_rest(self):
        self.log = [record(10, image({"a": "11"}), 5 * _MINUTE_MS)]
        first = self.complete()
        self.log = [record(20, image({"a": "12"}), 6 * _MINUTE_MS)]
        both = self.complete()
        self.assertEqual(self.asked, [0, 4 * _MINUTE_MS])
        self.assertEqual(set(both), {10, 20})
        self.assertEqual(both[10], first[10])

    def test_deleted_copies_are_kept_for_as_long_as_they_are_asked_for(self):
        self.log = [record(10, image({"a": "11"}), 1000), (0, 2000, key(10), b"")]
        self.assertEqual(set(self.complete(since_ms=500)), {10})
        self.log = []
        self.assertEqual(self.complete(since_ms=1500), {})
        self.assertEqual(self.complete(since_ms=500), {}, "it is forgotten")

    def test_one_offset_with_two_contents_fails(self):
        self.log = [record(10, image({"a": "11"}), 1)]
        other = bytearray(record(10, image({"a": "12"}), 2)[3])
        other[80:88] = struct.pack("<Q", 99)  # the digest of the image
        self.log.append((0, 2, key(10), bytes(other)))
        with self.assertRaisesRegex(state_topic.StateError, "saved twice"):
            self.complete()


if __name__ == "__main__":
    unittest.main()
