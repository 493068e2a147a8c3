#!/usr/bin/env python3
"""The two reference rulesets in Python, as fast as it gets without leaving the language: a process
per processor with partitions of its own, batches of messages, orjson, integers, one flat loop, no
garbage collector. At least once; commits what it has judged after its alerts are acknowledged.
Runs until SIGTERM.

  tuned.py BROKERS TOPIC GROUP ALERTS
"""

import contextlib
import gc
import multiprocessing
import multiprocessing.connection
import signal
import sys
import time
from collections import deque

import orjson
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

PROCESSES = 2
BATCH = 5000
WINDOW_US = 60_000_000
MAX_AHEAD_US = 300_000_000
BURST = 6
HISTORY = 50
COMMIT_SECONDS = 1.0


class Stopped(Exception):
    """SIGTERM has come."""


def stop(*_):
    raise Stopped


def is_burst(times, moment):
    """Whether more than five payments lie in the minute that ends at the newest one. times: the
    newest six, ascending."""
    if not times or moment >= times[-1]:
        times.append(moment)
    elif moment < times[-1] - WINDOW_US:
        return False
    else:
        times.append(moment)
        times.sort()
    if len(times) > BURST:
        del times[0]
    return len(times) == BURST and times[0] >= times[-1] - WINDOW_US


class Alerts:
    """Sends alerts; an alert that is not delivered ends the process."""

    def __init__(self, brokers, source, topic):
        self._producer = Producer({"bootstrap.servers": brokers, "linger.ms": 1,
                                   "queue.buffering.max.messages": 1_000_000})
        self._source = source
        self._topic = topic

    def send(self, message, row, moment, ruleset, score, rules):
        account = str(row["user_id"])
        alert = {
            "ruleset": ruleset,
            "score": score,
            "account": account,
            "transaction_id": str(row["id"]),
            "amount": row["amount"],
            "event_time_us": moment,
            "reasons": [{"rule": rule, "score": own} for rule, own in rules],
            "source": {"topic": self._source, "partition": message.partition(),
                       "offset": message.offset()},
        }
        self._producer.produce(self._topic, orjson.dumps(alert), account,
                               on_delivery=self._on_delivery)

    @staticmethod
    def _on_delivery(error, _):
        if error:
            raise KafkaException(error)

    def poll(self):
        self._producer.poll(0)

    def flush(self):
        self._producer.flush()


def judge_batch(messages, accounts, alerts):
    """The hot loop, in one piece: a call costs as much here as a rule."""
    loads = orjson.loads
    for message in messages:
        if message.error():
            raise KafkaException(message.error())
        value = message.value()
        if value is None:
            continue
        event = loads(value)
        operation = event["op"]
        if operation not in "cru":
            continue
        row = event["after"]
        text = row["amount"]
        cents = int(text[:-3] + text[-2:])
        moment = row["created_at"]
        committed = event["source"]["ts_ms"] * 1000
        if not moment or moment > committed + MAX_AHEAD_US:
            moment = committed
        account = accounts.get(row["user_id"])
        if account is None:
            account = accounts[row["user_id"]] = [deque(maxlen=8), deque(maxlen=HISTORY), 0, []]
        rows, known, total, times = account
        if operation != "u":
            if row["id"] in rows:
                continue
            rows.append(row["id"])
        count = len(known)
        if cents > 50000 and count >= 3 and cents * count > 3 * total:
            alerts.send(message, row, moment, "reference-profile", 100, (("above-profile", 100),))
        if count == HISTORY:
            total -= known[0]
        known.append(cents)
        account[2] = total + cents
        if is_burst(times, moment) and cents > 400000:
            alerts.send(message, row, moment, "reference-score", 90,
                        (("velocity", 40), ("amount", 50)))


def work(number, brokers, topic, group, alerts_topic):
    signal.signal(signal.SIGTERM, stop)
    gc.disable()
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group,
                         "enable.auto.commit": False, "auto.offset.reset": "earliest",
                         "queued.min.messages": 1_000_000,
                         "queued.max.messages.kbytes": 524_288})
    count = len(consumer.list_topics(topic).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, each) for each in range(number, count, PROCESSES)])
    alerts = Alerts(brokers, topic, alerts_topic)
    accounts = {}
    dirty, committed = False, time.monotonic()
    try:
        while True:
            messages = consumer.consume(BATCH, 0.05)
            judge_batch(messages, accounts, alerts)
            alerts.poll()
            dirty = dirty or bool(messages)
            now = time.monotonic()
            if dirty and (not messages or now - committed >= COMMIT_SECONDS):
                alerts.flush()
                consumer.commit(asynchronous=False)
                dirty, committed = False, now
    except Stopped:
        consumer.close()


def main():
    processes = [multiprocessing.Process(target=work, args=(number, *sys.argv[1:]))
                 for number in range(PROCESSES)]
    for process in processes:
        process.start()
    with contextlib.suppress(Stopped):
        signal.signal(signal.SIGTERM, stop)
        multiprocessing.connection.wait([process.sentinel for process in processes])
    for process in processes:
        process.terminate()
        process.join()
    return max(process.exitcode for process in processes)


if __name__ == "__main__":
    sys.exit(main())
