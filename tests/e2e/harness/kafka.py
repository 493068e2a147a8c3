"""What the tests ask of Kafka: topics, offsets and group members over the wire protocol, records
through kcat. One broker, plaintext, loopback.

The few requests are spoken here because the JVM tools take two seconds for each.
"""

import socket
import struct
import subprocess
import tempfile

from harness.waiting import wait_until
from oracle.records import parse_records

_LIST_OFFSETS, _METADATA, _OFFSET_FETCH, _FIND_COORDINATOR = 2, 3, 9, 10
_DESCRIBE_GROUPS, _CREATE_TOPICS, _DELETE_TOPICS, _DELETE_RECORDS = 15, 19, 20, 21
_INIT_PRODUCER_ID, _CREATE_ACLS, _DELETE_GROUPS = 22, 30, 42
_TOPIC_ALREADY_EXISTS = 36
_UNKNOWN_TOPIC = 3
_RESOURCES = {"topic": 2, "group": 3, "transactional_id": 5}
_OPERATIONS = {"READ": 3, "WRITE": 4, "DESCRIBE_CONFIGS": 10}
_TRY_AGAIN = (14, 15, 51)  # the coordinator loads, moves, or ends the transaction of before
_NO_LEADER_YET = (3, 5, 6)  # of a topic that is just being made


class KafkaError(AssertionError):
    """The broker has refused a request."""


class Kafka:
    """A client of the one broker. Every call opens and closes its own connection."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        host, port = bootstrap.rsplit(":", 1)
        self._address = (host, int(port))

    # -- topics and offsets

    def create_topic(self, topic, partitions, **settings):
        """As many replicas as the broker's default says. settings: topic configuration, dots written
        as underscores (cleanup_policy="compact")."""
        body = _array(1) + _string(topic) + struct.pack(">ih", partitions, -1) + _array(0)
        body += _array(len(settings))
        for name, value in settings.items():
            body += _string(name.replace("_", ".")) + _string(str(value))
        answer = self._call(_CREATE_TOPICS, 4, body + struct.pack(">i?", 30_000, False))
        answer.int32()  # throttle time
        for _ in range(answer.int32()):
            answer.string()
            code, message = answer.int16(), answer.string()
            if code not in (0, _TOPIC_ALREADY_EXISTS):
                raise KafkaError(f"cannot create topic {topic}: {message} (error {code})")

    def allow(self, user, operation, resource, name, prefix=False):
        """Adds an ACL. resource: topic, group, transactional_id; prefix: all names that start so."""
        body = _array(1) + struct.pack(">b", _RESOURCES[resource]) + _string(name)
        body += struct.pack(">b", 4 if prefix else 3) + _string(f"User:{user}") + _string("*")
        body += struct.pack(">bb", _OPERATIONS[operation], 3)  # 3: allow
        answer = self._call(_CREATE_ACLS, 1, body)
        answer.int32()  # throttle time
        for _ in range(answer.int32()):
            code, message = answer.int16(), answer.string()
            if code != 0:
                raise KafkaError(f"cannot allow {operation} {name}: {message} (error {code})")

    def delete_topic(self, topic):
        """Returns when the topic is gone."""
        body = _array(1) + _string(topic) + struct.pack(">i", 30_000)
        answer = self._call(_DELETE_TOPICS, 1, body)
        answer.int32()  # throttle time
        for _ in range(answer.int32()):
            name, code = answer.string(), answer.int16()
            if code != 0:
                raise KafkaError(f"cannot delete topic {name}: error {code}")
        wait_until(lambda: self.partition_count(topic) == 0, f"topic {topic} is still there")

    def partition_count(self, topic):
        """0 = no such topic."""
        return self._metadata(topic)[0]

    def replicas(self, topic):
        """{partition: (id of the leader, -1 = none, set of the replicas in sync)}."""
        count, answer = self._metadata(topic)
        partitions = {}
        for _ in range(count):
            answer.int16()  # what hinders: there is no leader
            partition, leader = answer.int32(), answer.int32()
            _ = [answer.int32() for _ in range(answer.int32())]
            partitions[partition] = leader, {answer.int32() for _ in range(answer.int32())}
        return partitions

    def _metadata(self, topic):
        """(number of partitions, the answer in front of the first)."""
        answer = self._call(_METADATA, 1, _array(1) + _string(topic))
        for _ in range(answer.int32()):  # brokers
            answer.int32(), answer.string(), answer.int32(), answer.string()
        answer.int32()  # controller
        answer.int32()  # topics: one
        code = answer.int16()
        answer.string(), answer.int8()
        count = answer.int32()
        if code not in (0, _UNKNOWN_TOPIC):
            raise KafkaError(f"metadata of {topic}: error {code}")
        return (count if code == 0 else 0), answer

    def end_offsets(self, topic, stable=False):
        """{partition: offset of the next record to be written} of the partitions that are ready.
        stable: of the first record that a reader of committed transactions cannot pass yet."""
        partitions = self.partition_count(topic)
        if partitions == 0:
            return {}
        body = struct.pack(">ib", -1, int(stable)) + _array(1) + _string(topic) + _array(partitions)
        for partition in range(partitions):
            body += struct.pack(">iq", partition, -1)
        answer = self._call(_LIST_OFFSETS, 2, body)
        answer.int32()  # throttle time
        offsets = {}
        for _ in range(answer.int32()):
            answer.string()
            for _ in range(answer.int32()):
                partition, code = answer.int32(), answer.int16()
                answer.int64()  # timestamp
                offset = answer.int64()
                if code == 0:
                    offsets[partition] = offset
                elif code not in _NO_LEADER_YET:
                    raise KafkaError(f"end offset of {topic}-{partition}: error {code}")
        return offsets

    def delete_records(self, topic, before):
        """Deletes what lies below an offset, as retention does. before: {partition: offset}."""
        body = _array(1) + _string(topic) + _array(len(before))
        body += b"".join(struct.pack(">iq", *each) for each in before.items())
        answer = self._call(_DELETE_RECORDS, 0, body + struct.pack(">i", 30_000))
        answer.int32()  # throttle time
        for _ in range(answer.int32()):
            answer.string()
            for _ in range(answer.int32()):
                partition, _, code = answer.int32(), answer.int64(), answer.int16()
                if code != 0:
                    raise KafkaError(f"cannot delete from {topic}-{partition}: error {code}")

    # -- consumer groups

    def committed_offsets(self, group, topic):
        """{partition: committed offset} of the partitions that have one."""
        self._call(_FIND_COORDINATOR, 1, _string(group) + struct.pack(">b", 0))
        partitions = range(self.partition_count(topic))
        body = _string(group) + _array(1) + _string(topic) + _array(len(partitions))
        body += b"".join(struct.pack(">i", partition) for partition in partitions)
        answer = self._call(_OFFSET_FETCH, 5, body)
        answer.int32()  # throttle time
        offsets = {}
        for _ in range(answer.int32()):
            answer.string()
            for _ in range(answer.int32()):
                partition, offset = answer.int32(), answer.int64()
                answer.int32(), answer.string(), answer.int16()  # epoch, metadata, error
                if offset >= 0:
                    offsets[partition] = offset
        return offsets

    def delete_group(self, group):
        """Forgets an empty group and its offsets."""
        answer = self._call(_DELETE_GROUPS, 0, _array(1) + _string(group))
        answer.int32()  # throttle time
        for _ in range(answer.int32()):
            name, code = answer.string(), answer.int16()
            if code != 0:
                raise KafkaError(f"cannot delete group {name}: error {code}")

    def group_members(self, group):
        """Member ids of a stable group; empty while it rebalances or does not exist."""
        body = _array(1) + _string(group) + struct.pack(">?", False)
        answer = self._call(_DESCRIBE_GROUPS, 4, body)
        answer.int32()  # throttle time
        answer.int32()  # groups: one
        code = answer.int16()
        answer.string()
        state = answer.string()
        answer.string(), answer.string()
        members = []
        for _ in range(answer.int32()):
            members.append(answer.string())
            answer.string(), answer.string(), answer.string(), answer.bytes(), answer.bytes()
        return members if code == 0 and state == "Stable" else []

    # -- transactions

    def init_producer_id(self, transactional_id, timeout_ms=5000):
        """Begins as a producer of this id: its transaction is aborted, its producer is fenced."""
        body = _string(transactional_id) + struct.pack(">i", timeout_ms)

        def begun():
            answer = self._call(_INIT_PRODUCER_ID, 0, body)
            answer.int32()  # throttle time
            code = answer.int16()
            if code not in (0, *_TRY_AGAIN):
                raise KafkaError(f"producer of {transactional_id}: error {code}")
            return code == 0

        wait_until(begun, f"no producer of {transactional_id}")

    # -- records

    def read(self, topic, partition=None):
        """All committed records of the topic, or of one partition, up to its end, each partition in
        offset order."""
        program = ["kcat", "-C", "-q", "-J", "-e", "-b", self.bootstrap, "-t", topic]
        program += ["-o", "beginning", "-X", "isolation.level=read_committed"]
        program += [] if partition is None else ["-p", str(partition)]
        return parse_records(self._run(program))

    def produce(self, topic, partition, value, key=None, headers=()):
        """One record, exact bytes; value None = tombstone. headers: (name, text) pairs."""
        program = ["kcat", "-P", "-b", self.bootstrap, "-t", topic, "-p", str(partition)]
        # Compressed, so that a value may be longer than the topic allows a batch to be.
        program += ["-X", "message.max.bytes=20000000", "-z", "gzip"]
        for name, text in headers:
            program += ["-H", f"{name}={text}"]
        if not value:
            # kcat passes over empty files, but not over an empty value behind a key delimiter.
            program += ["-K", "\t", "-Z"] if value is None else ["-K", "\t"]
            self._run(program, f"{key or ''}\t\n".encode())
            return
        program += ["-k", key] if key is not None else []
        with tempfile.NamedTemporaryFile() as file:
            file.write(value)
            file.flush()
            self._run([*program, file.name])

    def produce_lines(self, topic, records):
        """Many records in order: (key, value) texts without tabs and line ends; partitioned by key
        as the Java client does it."""
        program = ["kcat", "-P", "-b", self.bootstrap, "-t", topic, "-K", "\t"]
        program += ["-X", "partitioner=murmur2_random"]
        self._run(program, "".join(f"{key}\t{value}\n" for key, value in records).encode())

    @staticmethod
    def _run(program, data=b""):
        done = subprocess.run(program, input=data, capture_output=True, timeout=600)
        if done.returncode != 0:
            raise KafkaError(f"kcat: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    # -- the protocol

    def _call(self, api, version, body):
        header = struct.pack(">hhi", api, version, 1) + _string("e2e")
        with socket.create_connection(self._address, timeout=30) as connection:
            connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
            size = struct.unpack(">i", _receive(connection, 4))[0]
            answer = _Answer(_receive(connection, size))
        answer.int32()  # correlation id
        return answer


def _receive(connection, size):
    data = bytearray()
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise KafkaError("the broker has closed the connection")
        data += chunk
    return bytes(data)


def _array(count):
    return struct.pack(">i", count)


def _string(text):
    data = text.encode()
    return struct.pack(">h", len(data)) + data


class _Answer:
    """Reads a response front to back."""

    def __init__(self, data):
        self._data = data
        self._position = 0

    def _take(self, size):
        self._position += size
        return self._data[self._position - size : self._position]

    def int8(self):
        return struct.unpack(">b", self._take(1))[0]

    def int16(self):
        return struct.unpack(">h", self._take(2))[0]

    def int32(self):
        return struct.unpack(">i", self._take(4))[0]

    def int64(self):
        return struct.unpack(">q", self._take(8))[0]

    def string(self):
        size = self.int16()
        return None if size < 0 else self._take(size).decode()

    def bytes(self):
        size = self.int32()
        return None if size < 0 else self._take(size)
