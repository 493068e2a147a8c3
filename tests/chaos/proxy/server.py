"""The proxy's listener, its connections and the faults that concern all of them."""

import contextlib
import socket
import threading
import time

from proxy.connection import Connection
from proxy.exchange import Exchange


class Proxy:
    """Forwards every connection to `upstream` and does what it is told. Two threads per connection.

    The broker must advertise the proxy's address to those who come through it: a listener of its
    own, see broker.py. Methods may be called from any thread.
    """

    def __init__(self, upstream, port=0):
        """upstream: (host, port) of the broker's listener. port: 0 = any free one."""
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._rules = []
        self._connections = set()
        self._open = threading.Event()  # unset: partitioned, nothing passes
        self._open.set()
        self._bytes_per_s = None
        self._stopping = False
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def start(self):
        self._acceptor.start()
        return self

    def stop(self):
        self._stopping = True
        self._open.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
        self._acceptor.join()

    # -- faults of one request

    def intercept(self, api, handler, times=None, where=None):
        """handler(exchange) instead of forwarding, for requests of this api.

        times: how often, None = always. where: a condition on the request. The rules are asked in
        their order; the first that matches decides. Returns the rule, for remove().
        """
        rule = _Rule(api, handler, times, where)
        with self._lock:
            self._rules.append(rule)
        return rule

    def delay(self, api, seconds, times=None):
        """Holds requests of this api back on their way to the broker."""

        def handler(exchange):
            time.sleep(seconds)
            exchange.forward()

        return self.intercept(api, handler, times)

    def remove(self, rule):
        with self._lock:
            if rule in self._rules:
                self._rules.remove(rule)

    # -- faults of the network

    def cut_all(self):
        """Ends all connections that there are; new ones are accepted."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.close()

    def partition(self):
        """Nothing passes in either direction, nothing is closed: packets vanish."""
        self._open.clear()

    def heal(self):
        self._open.set()

    def throttle(self, bytes_per_s):
        """Limits what each connection sends to the broker; None = no limit."""
        self._bytes_per_s = bytes_per_s

    # -- of the connections

    def on_request(self, connection, request):
        """Decides over a request: to its rule, or on to the broker."""
        self.wait_open()
        rule = self._take_rule(request)
        if rule is None:
            connection.send_request(request)
        else:
            rule.handler(Exchange(connection, request))

    def wait_open(self):
        self._open.wait()

    def pace(self, size):
        """Takes the time that `size` bytes take."""
        if self._bytes_per_s:
            time.sleep(size / self._bytes_per_s)

    def forget(self, connection):
        with self._lock:
            self._connections.discard(connection)

    def _take_rule(self, request):
        with self._lock:
            for rule in self._rules:
                if rule.matches(request):
                    if rule.spend():
                        self._rules.remove(rule)
                    return rule
        return None

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # stopped
            try:
                broker = socket.create_connection(self._upstream, timeout=5)
            except OSError:
                client.close()  # as a broker that is down does it
                continue
            broker.settimeout(None)
            connection = Connection(self, client, broker)
            with self._lock:
                self._connections.add(connection)
            if self._stopping:
                connection.close()
            connection.start()


class _Rule:
    def __init__(self, api, handler, times, where):
        self._api = api
        self.handler = handler
        self._times = times
        self._where = where

    def matches(self, request):
        return request.api == self._api and (self._where is None or self._where(request))

    def spend(self):
        """Counts one use; true when it was the last."""
        if self._times is not None:
            self._times -= 1
        return self._times == 0
