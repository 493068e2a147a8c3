#!/usr/bin/env python3
"""The two reference rulesets as one writes them the first time: one message after the other, the
standard library's JSON, decimals, commits left to the client. Runs until SIGTERM.

  naive.py BROKERS TOPIC GROUP ALERTS
"""

import json
import signal
import sys
from collections import defaultdict, deque
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from confluent_kafka import Consumer, KafkaException, Producer

WINDOW = timedelta(seconds=60)
MAX_AHEAD = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Account:
    def __init__(self):
        self.rows = deque(maxlen=8)
        self.amounts = deque(maxlen=50)
        self.times = []


def event_time(event):
    committed = EPOCH + timedelta(milliseconds=event["source"]["ts_ms"])
    if not event["after"]["created_at"]:
        return committed
    time = EPOCH + timedelta(microseconds=event["after"]["created_at"])
    return committed if time > committed + MAX_AHEAD else time


def is_above_profile(account, amount):
    known = account.amounts
    above = len(known) >= 3 and amount > 500 and amount * len(known) > 3 * sum(known)
    known.append(amount)
    return above


def is_burst(account, time):
    newest = max([time, *account.times])
    if time < newest - WINDOW:
        return False
    account.times = [each for each in account.times if each >= newest - WINDOW]
    account.times.append(time)
    return len(account.times) > 5


def judge(accounts, event):
    """[(ruleset, score, rules)] of an event."""
    row = event["after"]
    account = accounts[row["user_id"]]
    if event["op"] != "u":
        if row["id"] in account.rows:
            return []
        account.rows.append(row["id"])
    amount = Decimal(row["amount"])
    alerts = []
    if is_above_profile(account, amount):
        alerts.append(("reference-profile", 100, {"above-profile": 100}))
    if is_burst(account, event_time(event)) and amount > 4000:
        alerts.append(("reference-score", 90, {"velocity": 40, "amount": 50}))
    return alerts


def alert_of(message, event, ruleset, score, rules):
    row = event["after"]
    return {
        "ruleset": ruleset,
        "score": score,
        "account": str(row["user_id"]),
        "transaction_id": str(row["id"]),
        "amount": row["amount"],
        "event_time": event_time(event).isoformat(),
        "reasons": [{"rule": rule, "score": own} for rule, own in rules.items()],
        "source": {"topic": message.topic(), "partition": message.partition(),
                   "offset": message.offset()},
    }


def main():
    brokers, topic, group, alerts_topic = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group,
                         "auto.offset.reset": "earliest", "auto.commit.interval.ms": 1000})
    producer = Producer({"bootstrap.servers": brokers})
    consumer.subscribe([topic])
    accounts = defaultdict(Account)
    while True:
        message = consumer.poll(1.0)
        if message is None:
            producer.flush()
            continue
        if message.error():
            raise KafkaException(message.error())
        event = json.loads(message.value() or "null")
        if not event or event["op"] not in ("c", "r", "u"):
            continue
        for ruleset, score, rules in judge(accounts, event):
            alert = alert_of(message, event, ruleset, score, rules)
            producer.produce(alerts_topic, json.dumps(alert), alert["account"])
        producer.poll(0)


if __name__ == "__main__":
    main()
