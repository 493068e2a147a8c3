"""A client and a broker that speak nothing but frames."""

import queue
import socket
import struct
import threading

from proxy.wire import Api, correlation_id, parse_request, read_frame

WAIT_S = 10


def request_frame(api, number, body=b"", client_id="test", version=1):
    name = b"" if client_id is None else client_id.encode()
    size = -1 if client_id is None else len(name)
    content = struct.pack(">hhih", api, version, number, size) + name + body
    return struct.pack(">i", len(content)) + content


def end_txn_body(transactional_id, commit):
    name = transactional_id.encode()
    return struct.pack(">h", len(name)) + name + struct.pack(">qh?", 1, 0, commit)


def reply_frame(number, body=b"ok"):
    return struct.pack(">ii", 4 + len(body), number) + body


class FakeBroker:
    """Answers every request with its correlation id at once; keeps the requests it has seen."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self.seen = queue.Queue()
        self._connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def next_request(self):
        return self.seen.get(timeout=WAIT_S)

    def stop(self):
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        try:
            while frame := read_frame(connection):
                request = parse_request(frame)
                self.seen.put(request)
                connection.sendall(reply_frame(request.correlation_id))
        except OSError:
            return


class FakeClient:
    """One connection; sends frames and takes replies."""

    def __init__(self, port):
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)

    def send(self, api, number, body=b""):
        self._connection.sendall(request_frame(api, number, body))

    def reply(self):
        """The correlation id of the next reply; None = the connection has ended."""
        try:
            frame = read_frame(self._connection)
        except ConnectionError:
            return None
        return correlation_id(frame) if frame else None

    def has_reply_within(self, seconds):
        self._connection.settimeout(seconds)
        try:
            return bool(read_frame(self._connection))
        except TimeoutError:
            return False
        finally:
            self._connection.settimeout(WAIT_S)

    def call(self, number):
        self.send(Api.METADATA, number)
        return self.reply()

    def close(self):
        self._connection.close()
