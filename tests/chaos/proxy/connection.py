"""One client's connection and the one to the broker that belongs to it."""

import contextlib
import socket
import threading

from proxy.wire import ProtocolError, correlation_id, parse_request, read_frame


class Connection:
    """A thread reads requests, another replies. Both ends live until both streams have ended or
    close(); the client's alone may be cut off before."""

    def __init__(self, proxy, client, broker):
        self._proxy = proxy
        self._client = client
        self._broker = broker
        for end in (client, broker):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lock = threading.Lock()
        self._sending = threading.Lock()  # one frame at a time to the broker
        self._abandoned = False
        self._takers = {}  # correlation id -> what takes its reply in the place of the client

    def start(self):
        threading.Thread(target=self._serve_requests, daemon=True).start()
        threading.Thread(target=self._serve_replies, daemon=True).start()

    # -- for exchanges

    def send_request(self, request):
        with self._sending, contextlib.suppress(OSError):
            self._broker.sendall(request.frame)

    def send_reply(self, frame):
        self._client.sendall(frame)

    def take_reply(self, number, taker):
        """The reply of that correlation id goes to taker(frame), not to the client."""
        with self._lock:
            self._takers[number] = taker

    def lose_reply(self, number):
        self.take_reply(number, lambda _: self.close())

    def abandon_client(self):
        """Ends the client's side alone."""
        with self._lock:
            self._abandoned = True
        _end(self._client)

    def close(self):
        _end(self._client)
        _end(self._broker)
        self._proxy.forget(self)

    # -- the threads

    def _serve_requests(self):
        try:
            while frame := read_frame(self._client):
                self._proxy.pace(len(frame))
                self._proxy.on_request(self, parse_request(frame))
        except (OSError, ProtocolError):
            pass
        with self._lock:
            abandoned = self._abandoned
        if not abandoned:
            self.close()

    def _serve_replies(self):
        try:
            while frame := read_frame(self._broker):
                self._proxy.wait_open()
                self._deliver(frame)
        except (OSError, ProtocolError):
            pass
        self.close()

    def _deliver(self, frame):
        with self._lock:
            taker = self._takers.pop(correlation_id(frame), None)
            abandoned = self._abandoned
        if taker is not None:
            taker(frame)
        elif not abandoned:
            self._client.sendall(frame)


def _end(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        connection.close()
