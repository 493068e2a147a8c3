"""What a test can do to one request."""

import struct
import threading

from proxy.wire import correlation_id

_REPLY_SECONDS = 30


class Exchange:
    """One request on its way. A handler that Proxy.intercept has been given decides over it, on the
    thread that reads the client's requests; later ones of the same connection wait meanwhile.

    What it does not forward never arrives.
    """

    def __init__(self, connection, request):
        self._connection = connection
        self.request = request

    def forward(self):
        """On to the broker, as if nothing were."""
        self._connection.send_request(self.request)

    def forward_and_lose_reply(self):
        """The broker does what it is asked; in the place of its answer the client sees the
        connection end."""
        self._connection.lose_reply(self.request.correlation_id)
        self._connection.send_request(self.request)

    def answer(self, body):
        """The client is answered here; the broker never sees the request. body: of a response
        before the flexible versions."""
        number = self.request.correlation_id
        self._connection.send_reply(struct.pack(">ii", 4 + len(body), number) + body)

    def forward_and_change_reply(self, change):
        """The client sees change(reply frame) in the place of the broker's answer."""
        connection, number = self._connection, self.request.correlation_id
        connection.take_reply(number, lambda frame: connection.send_reply(change(frame)))
        connection.send_request(self.request)

    def cut(self):
        """The connection ends on both sides; the broker never sees the request."""
        self._connection.close()

    def hold(self):
        """The client sees its connection end; the broker sees nothing yet, and keeps its side open.
        Returns what releases the request."""
        self._connection.abandon_client()
        return Held(self._connection, self.request)

    def hold_silently(self):
        """As hold(), but the client hears nothing at all until cut_client()."""
        return Held(self._connection, self.request)


class Held:
    """A request that the network has swallowed and may give back at any time. Any thread."""

    def __init__(self, connection, request):
        self._connection = connection
        self.request = request

    def cut_client(self):
        self._connection.abandon_client()

    def release(self):
        """Gives the request to the broker and waits until it has answered; the answer's frame. The
        client must have been cut off."""
        answered = threading.Event()
        answer = []

        def take(frame):
            answer.append(frame)
            answered.set()

        self._connection.take_reply(self.request.correlation_id, take)
        self._connection.send_request(self.request)
        if not answered.wait(_REPLY_SECONDS):
            raise AssertionError("the broker does not answer the released request")
        self._connection.close()
        assert correlation_id(answer[0]) == self.request.correlation_id
        return answer[0]
