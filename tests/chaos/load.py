"""The payments a row sends, from `caracal generate`: equal seeds and options, equal bytes."""

import subprocess
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from harness import engine
from harness.waiting import wait_until

TOPIC = "chaos.public.payments"

_NOISE = {
    "--duplicates": 0.01,
    "--resnapshots": 0.002,
    "--updates": 0.01,
    "--deletes": 0.005,
    "--late": 0.01,
    "--malformed": 0.001,
}


@dataclass(frozen=True)
class Load:
    """A load of about `events` records.

    first: the piece it starts with, when a row sends its load in pieces: ids and event times go on
    where the piece before has ended. first_id: of the whole load, where a row sends two; earlier_s:
    how much earlier than usual its event times are.
    """

    events: int
    accounts: int
    seed: int
    noise: tuple = tuple(_NOISE.items())
    first: int = 0
    first_id: int = 1
    earlier_s: int = 0

    def piece(self, number, of):
        """The number-th of `of` equal pieces."""
        size = self.events // of
        return replace(self, events=size, seed=self.seed + number, first=number * size)

    def arguments(self):
        rate = max(1, self.accounts // 200)  # event time: each account pays about every 200 s
        start_s = 1_767_600_000 - self.earlier_s + self.first // rate
        options = {
            "--count": self.events,
            "--accounts": self.accounts,
            "--seed": self.seed,
            "--first-id": self.first_id + self.first,
            "--zipf": 0,
            "--event-rate": rate,
            "--start-time": _rfc3339(start_s),
            "--format": "bare",
            "--record-time": "event",
            **dict(self.noise),
        }
        return ["--steady", *(str(text) for option in options.items() for text in option)]

    def values(self):
        """The values of the records, which go nowhere."""
        return engine.command("generate", *self.arguments(), "--output", "-").decode().splitlines()


def _rfc3339(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Producer:
    """A running `caracal generate` towards the broker, past the proxy; ends with the broker."""

    def __init__(self, broker, load, rate=None):
        """rate: records per second; None = as fast as it can."""
        command = [engine.binary(), "generate", *load.arguments(), "--brokers", broker.direct]
        command += ["--topic", TOPIC, "--kafka-property", "message.timeout.ms=300000"]
        # What a fault makes it send twice is a row delivered twice; an idempotent producer would
        # take a broker that restarts for a reason to give up (librdkafka issue 4438).
        command += ["--kafka-property", "enable.idempotence=false"]
        command += ["--rate", str(rate)] if rate else []
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        broker.producers.append(self)

    def running(self):
        return self._process.poll() is None

    def wait(self, timeout_s=600):
        """Until everything is sent."""
        wait_until(lambda: not self.running(), "the load is not sent", timeout_s)
        text = self._process.stderr.read().strip()
        assert self._process.returncode == 0, f"caracal generate fails: {text}"
        return text

    def kill(self):
        self._process.kill()
        self._process.wait()


def produce_tombstones(broker, topic, count):
    """Records that move the offsets of all partitions, about evenly, and nothing else."""
    lines = "".join(f"filler-{number}\t\n" for number in range(count))
    subprocess.run(
        ["kcat", "-P", "-b", broker.direct, "-t", topic, "-K", "\t", "-Z"],
        input=lines.encode(),
        check=True,
        timeout=120,
    )


class Feed:
    """A load at a steady rate, and more of its kind behind it for as long as a row needs some."""

    _MORE_S = 10  # what one more piece lasts

    def __init__(self, broker, load, rate):
        """rate: records per second."""
        self._broker = broker
        self._rate = rate
        self._load = load
        self._producer = Producer(broker, load, rate)

    def keep_up(self):
        """Sends more if all is sent."""
        if self._producer.running():
            return
        self.wait()
        load = self._load
        more = {"events": self._MORE_S * self._rate, "first": load.first + load.events}
        self._load = replace(load, seed=load.seed + 1, **more)
        self._producer = Producer(self._broker, self._load, self._rate)

    def wait(self):
        """Until everything is sent."""
        self._producer.wait()
