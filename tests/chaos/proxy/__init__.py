"""A TCP proxy in front of one Kafka broker that understands enough of the protocol to do harm at a
chosen request."""

from proxy.exchange import Exchange, Held
from proxy.server import Proxy
from proxy.wire import Api, Request

__all__ = ["Api", "Exchange", "Held", "Proxy", "Request"]
