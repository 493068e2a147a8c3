import socket
import struct
import unittest

from proxy import wire
from self_tests.fakes import end_txn_body, reply_frame, request_frame


class WireTest(unittest.TestCase):
    def test_a_request_is_taken_apart(self):
        request = wire.parse_request(request_frame(26, 7, b"body", "caracal", 3))
        self.assertEqual((request.api, request.version), (wire.Api.END_TXN, 3))
        self.assertEqual((request.correlation_id, request.client_id), (7, "caracal"))
        self.assertEqual(request.body, b"body")

    def test_a_client_id_may_be_null_or_empty(self):
        self.assertIsNone(wire.parse_request(request_frame(3, 1, client_id=None)).client_id)
        self.assertEqual(wire.parse_request(request_frame(3, 1, client_id="")).client_id, "")

    def test_end_txn_says_whose_and_what(self):
        for commit in (True, False):
            request = wire.parse_request(request_frame(26, 1, end_txn_body("group-a", commit)))
            self.assertEqual(wire.transactional_id(request), "group-a")
            self.assertEqual(wire.commits(request), commit)

    def test_bytes_that_are_no_request_are_refused(self):
        cut = request_frame(26, 7, client_id="caracal")[:10]
        lying = struct.pack(">ihhih", 10, 26, 1, 7, 500)
        for frame in (cut, lying):
            with self.assertRaises(wire.ProtocolError):
                wire.parse_request(frame)
        with self.assertRaises(wire.ProtocolError):
            wire.correlation_id(b"\0\0\0\1a")

    def test_frames_are_read_however_they_are_cut_up(self):
        reader, writer = socket.socketpair()
        self.addCleanup(reader.close)
        frames = request_frame(3, 1, b"x" * 70_000) + reply_frame(2)
        for begin in range(0, len(frames), 30_001):
            writer.sendall(frames[begin : begin + 30_001])
        writer.close()
        self.assertEqual(wire.parse_request(wire.read_frame(reader)).correlation_id, 1)
        self.assertEqual(wire.correlation_id(wire.read_frame(reader)), 2)
        self.assertEqual(wire.read_frame(reader), b"")

    def test_a_frame_cut_off_is_the_end_of_the_stream(self):
        reader, writer = socket.socketpair()
        self.addCleanup(reader.close)
        writer.sendall(reply_frame(1)[:-1])
        writer.close()
        self.assertEqual(wire.read_frame(reader), b"")

    def test_a_senseless_size_is_refused(self):
        for size in (0, -1, 1 << 30):
            reader, writer = socket.socketpair()
            self.addCleanup(reader.close)
            self.addCleanup(writer.close)
            writer.sendall(struct.pack(">i", size))
            with self.assertRaises(wire.ProtocolError):
                wire.read_frame(reader)


if __name__ == "__main__":
    unittest.main()
