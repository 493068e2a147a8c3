import struct
import unittest

from proxy.offsets import without_offsets
from proxy.wire import ProtocolError, parse_request
from self_tests.fakes import request_frame


def text(value):
    return bytes([1 + len(value)]) + value if value is not None else b"\0"


def partition(index, offset, metadata):
    return struct.pack(">iqi", index, offset, -1) + text(metadata) + struct.pack(">h", 0) + b"\0"


def reply(offsets):
    partitions = b"".join(partition(i, *each) for i, each in enumerate(offsets))
    topic = text(b"payments") + bytes([1 + len(offsets)]) + partitions + b"\0"
    body = struct.pack(">i", 7) + b"\0" + struct.pack(">i", 0) + b"\2" + topic
    body += struct.pack(">h", 0) + b"\0"
    return struct.pack(">i", len(body)) + body


class OffsetsTest(unittest.TestCase):
    def test_every_offset_becomes_none_and_nothing_else_changes(self):
        request = parse_request(request_frame(9, 7, version=7))
        frame = reply([(5, b"v1 0 0"), (123_456_789_012, None), (0, b"")])
        expected = reply([(-1, b"v1 0 0"), (-1, None), (-1, b"")])
        self.assertEqual(without_offsets(request, frame), expected)

    def test_another_version_is_refused(self):
        with self.assertRaises(ProtocolError):
            without_offsets(parse_request(request_frame(9, 7, version=5)), reply([(5, b"")]))


if __name__ == "__main__":
    unittest.main()
