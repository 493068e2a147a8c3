import threading
import time
import unittest

from proxy import Api, Proxy
from self_tests.fakes import WAIT_S, FakeBroker, FakeClient, end_txn_body, reply_frame


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.broker = FakeBroker()
        self.addCleanup(self.broker.stop)
        self.proxy = Proxy(self.broker.address).start()
        self.addCleanup(self.proxy.stop)

    def client(self):
        client = FakeClient(self.proxy.port)
        self.addCleanup(client.close)
        return client

    def test_requests_and_replies_pass_unchanged_and_in_order(self):
        client = self.client()
        for number in (5, 6, 7):
            client.send(Api.PRODUCE, number, b"records")
        self.assertEqual([client.reply() for _ in range(3)], [5, 6, 7])
        self.assertEqual(self.broker.next_request().body, b"records")

    def test_a_reply_is_lost_after_the_broker_has_done_its_work(self):
        self.proxy.intercept(Api.END_TXN, lambda e: e.forward_and_lose_reply(), times=1)
        client = self.client()
        client.send(Api.END_TXN, 1, end_txn_body("a", True))
        self.assertIsNone(client.reply())
        self.assertEqual(self.broker.next_request().correlation_id, 1)
        again = self.client()
        again.send(Api.END_TXN, 2, end_txn_body("a", True))
        self.assertEqual(again.reply(), 2, "the rule was for one request")

    def test_a_request_is_answered_without_the_broker(self):
        self.proxy.intercept(Api.METADATA, lambda e: e.answer(b"no"), times=1)
        client = self.client()
        self.assertEqual(client.call(1), 1)
        self.assertEqual(client.call(2), 2)
        self.assertEqual(self.broker.next_request().correlation_id, 2)

    def test_a_reply_is_changed(self):
        change = lambda frame: reply_frame(9, frame[8:])
        self.proxy.intercept(
            Api.METADATA, lambda e: e.forward_and_change_reply(change), times=1
        )
        client = self.client()
        self.assertEqual(client.call(1), 9)
        self.assertEqual(client.call(2), 2)

    def test_a_held_request_reaches_the_broker_when_it_is_released(self):
        held = []
        self.proxy.intercept(Api.END_TXN, lambda e: held.append(e.hold()), times=1)
        client = self.client()
        client.send(Api.END_TXN, 1)
        self.assertIsNone(client.reply(), "the client is cut off")
        again = self.client()
        self.assertEqual(again.call(2), 2)
        self.assertEqual(self.broker.next_request().correlation_id, 2, "not the held one")
        held[0].release()
        self.assertEqual(self.broker.next_request().correlation_id, 1)
        self.assertEqual(again.call(3), 3, "the other connection lives on")

    def test_a_silent_hold_leaves_the_client_waiting(self):
        held = []
        self.proxy.intercept(Api.END_TXN, lambda e: held.append(e.hold_silently()), times=1)
        client = self.client()
        client.send(Api.END_TXN, 1)
        self.assertFalse(client.has_reply_within(0.2))
        held[0].cut_client()
        self.assertIsNone(client.reply())
        held[0].release()
        self.assertEqual(self.broker.next_request().correlation_id, 1)

    def test_a_cut_request_never_arrives(self):
        self.proxy.intercept(Api.PRODUCE, lambda e: e.cut(), times=1)
        client = self.client()
        client.send(Api.PRODUCE, 1)
        self.assertIsNone(client.reply())
        self.assertEqual(self.client().call(2), 2)
        self.assertEqual(self.broker.next_request().correlation_id, 2)

    def test_rules_choose_by_request_and_are_removed(self):
        mine = lambda request: request.body == b"mine"
        rule = self.proxy.intercept(Api.PRODUCE, lambda e: e.cut(), where=mine)
        other = self.client()
        other.send(Api.PRODUCE, 1, b"other")
        self.assertEqual(other.reply(), 1)
        client = self.client()
        client.send(Api.PRODUCE, 2, b"mine")
        self.assertIsNone(client.reply())
        self.proxy.remove(rule)
        other.send(Api.PRODUCE, 3, b"mine")
        self.assertEqual(other.reply(), 3)

    def test_a_delayed_request_arrives_late(self):
        self.proxy.delay(Api.METADATA, 0.2, times=1)
        client = self.client()
        begin = time.monotonic()
        self.assertEqual(client.call(1), 1)
        self.assertGreaterEqual(time.monotonic() - begin, 0.2)

    def test_a_partition_swallows_everything_until_it_heals(self):
        client = self.client()
        self.assertEqual(client.call(1), 1)
        self.proxy.partition()
        client.send(Api.METADATA, 2)
        self.assertFalse(client.has_reply_within(0.2))
        self.assertEqual(self.broker.seen.qsize(), 1, "the broker has not seen the second one")
        self.proxy.heal()
        self.assertEqual(client.reply(), 2)

    def test_cutting_all_connections_leaves_the_listener(self):
        client = self.client()
        self.assertEqual(client.call(1), 1)
        self.proxy.cut_all()
        self.assertIsNone(client.reply())
        self.assertEqual(self.client().call(2), 2)

    def test_throttled_requests_take_their_time(self):
        self.proxy.throttle(50_000)
        client = self.client()
        begin = time.monotonic()
        client.send(Api.PRODUCE, 1, b"x" * 10_000)
        self.assertEqual(client.reply(), 1)
        self.assertGreaterEqual(time.monotonic() - begin, 0.2)

    def test_a_broker_that_is_down_ends_the_clients_connection(self):
        self.broker.stop()
        downstream = Proxy(("127.0.0.1", 1)).start()
        self.addCleanup(downstream.stop)
        client = FakeClient(downstream.port)
        self.addCleanup(client.close)
        self.assertIsNone(client.call(1))

    def test_stopping_frees_those_that_wait(self):
        client = self.client()
        self.assertEqual(client.call(1), 1)
        self.proxy.partition()
        client.send(Api.METADATA, 2)
        stopper = threading.Thread(target=self.proxy.stop)
        stopper.start()
        self.assertIn(client.reply(), (None, 2))
        stopper.join(WAIT_S)
        self.assertFalse(stopper.is_alive())


if __name__ == "__main__":
    unittest.main()
