import struct
import unittest

import malformed
from oracle.decode import decode
from oracle.model import DeadLettered, Skipped, Stream, Transaction
from oracle_tests.cases import COMMIT_MS, START_US, envelope, record, row

STREAM = Stream(
    topic="t",
    key="user_id",
    account="user_id",
    id="id",
    amount="amount",
    time="created_at",
    attributes={"merchant": "merchant_id"},
    currency="EUR",
)


def outcome(value, headers=(), stream=STREAM):
    return decode(record(value, headers=headers), stream)


class DecodeTest(unittest.TestCase):
    def test_bare_envelope(self):
        transaction = outcome(envelope(row(5, 1042, 1, "12.50")))
        self.assertEqual(transaction.account, "1042")
        self.assertEqual(transaction.row, (("d", "public", "transactions"), "5"))
        self.assertEqual(transaction.amount, 1250)
        self.assertEqual(transaction.event_time_us, START_US + 1)
        self.assertEqual(transaction.attributes, {"merchant": "7"})

    def test_every_form_of_a_row_is_the_same_payment(self):
        bare, text, scaled, iso, flat, with_schema = (
            decode(record(value), STREAM) for value in malformed.evaluated(1, 9)
        )
        ids = [each.id for each in (bare, text, scaled, iso, flat, with_schema)]
        self.assertEqual(ids, ["1", "2", "3", "4", "5", "6"])
        self.assertEqual({each.account for each in (bare, text, iso, flat, with_schema)}, {"9"})
        self.assertEqual((bare.amount, text.amount, scaled.amount), (1000, 1250, 1280))
        self.assertEqual(iso.event_time_us, 1_700_000_000_000_001)
        self.assertEqual(flat.row, ("t", "5"))
        self.assertEqual(with_schema.amount, 123_456)
        self.assertEqual(with_schema.event_time_us, 1_700_000_000_000_000)

    def test_what_is_skipped(self):
        for value, reason in malformed.skipped(9):
            self.assertEqual(outcome(value), Skipped(reason))
        self.assertEqual(outcome({"ts_ms": 1}), Skipped("heartbeat"))
        marker = {"status": "END", "id": "7:9", "event_count": 1, "data_collections": []}
        self.assertEqual(outcome(marker), Skipped("transaction_marker"))
        self.assertEqual(outcome(envelope(row(), "u")), Skipped("operation"))
        moved = outcome(envelope(row()), headers=[("__debezium.oldkey", '{"user_id":1}')])
        self.assertEqual(moved, Skipped("moved_row"))

    def test_what_is_dead_lettered(self):
        for value, reason in malformed.rejected(1, 9):
            self.assertEqual(outcome(value), DeadLettered(reason))

    def test_a_skipped_operation_is_not_looked_into(self):
        self.assertEqual(outcome(envelope({"id": 1}, "u")), Skipped("operation"))

    def test_flattened_rows_name_their_operation(self):
        self.assertEqual(outcome({**row(), "__op": "u"}), Skipped("operation"))
        self.assertEqual(outcome(row(), headers=[("__op", "u")]), Skipped("operation"))
        self.assertEqual(outcome({**row(), "__op": "r"}).operation, "r")

    def test_currency_column_must_agree(self):
        stream = Stream(
            topic="t", key="user_id", account="user_id", currency_column="currency", currency="EUR"
        )
        self.assertEqual(outcome(row(currency="EUR"), stream=stream).currency, "EUR")
        self.assertEqual(outcome(row(currency="eur"), stream=stream).currency, "EUR")
        for currency in ("USD", "EURO", None):
            rejected = outcome(row(currency=currency), stream=stream)
            self.assertEqual(rejected, DeadLettered("invalid_currency"))

    def test_locations_come_from_columns_or_the_place_table(self):
        stream = Stream(
            topic="t",
            key="user_id",
            account="user_id",
            latitude="latitude",
            longitude="longitude",
            attributes={"merchant": "merchant_id"},
            places={"7": (1, 2)},
        )
        paris = outcome(row(latitude="48.8566", longitude=2.3522), stream=stream)
        self.assertEqual(paris.location, (48_856_600, 2_352_200))
        shop = outcome(row(latitude=None, longitude=None), stream=stream)
        self.assertEqual(shop.location, (1, 2))


def _long(value):
    encoded = (value << 1) ^ (value >> 63)
    out = bytearray()
    while encoded > 0x7F:
        out.append(encoded & 0x7F | 0x80)
        encoded >>= 7
    return bytes([*out, encoded])


def _text(text):
    return _long(len(text)) + text.encode()


class AvroTest(unittest.TestCase):
    """An envelope as the Avro converter writes it, encoded here by hand."""

    VALUE = {
        "type": "record",
        "name": "Value",
        "fields": [
            {"name": "id", "type": "int"},
            {"name": "user_id", "type": ["null", "int"]},
            {
                "name": "amount",
                "type": ["null", {"type": "bytes", "logicalType": "decimal", "scale": 2}],
            },
            {"name": "merchant_id", "type": ["null", "int"]},
            {
                "name": "created_at",
                "type": [
                    {
                        "type": "long",
                        "connect.name": "io.debezium.time.MicroTimestamp",
                        "connect.default": 0,
                    },
                    "null",
                ],
            },
        ],
    }
    SOURCE = {"type": "record", "name": "Source", "fields": [{"name": "ts_ms", "type": "long"}]}
    SCHEMA = {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "before", "type": ["null", VALUE]},
            {"name": "after", "type": ["null", "Value"]},
            {"name": "source", "type": SOURCE},
            {"name": "op", "type": "string"},
        ],
    }

    def encode(self, created_at):
        row_bytes = _long(5) + _long(1) + _long(1042)
        row_bytes += _long(1) + _long(2) + b"\x04\xe2" + _long(1) + _long(7)
        row_bytes += _long(0) + _long(created_at)
        body = _long(0) + _long(1) + row_bytes + _long(COMMIT_MS) + _text("c")
        return b"\0" + struct.pack(">i", 3) + body

    def test_an_envelope(self):
        transaction = decode(record(self.encode(START_US)), STREAM, {3: self.SCHEMA})
        self.assertIsInstance(transaction, Transaction)
        self.assertEqual(transaction.account, "1042")
        self.assertEqual(transaction.amount, 1250)
        self.assertEqual(transaction.event_time_us, START_US)

    def test_a_null_time_comes_as_the_default(self):
        transaction = decode(record(self.encode(0)), STREAM, {3: self.SCHEMA})
        self.assertEqual(transaction.time_source, "source_commit")

    def test_an_unknown_schema_or_a_short_message(self):
        encoded = self.encode(START_US)
        for value, schemas in ((encoded, {}), (encoded[:-3], {3: self.SCHEMA}), (b"\0", {})):
            self.assertEqual(decode(record(value), STREAM, schemas), DeadLettered("unknown_format"))


if __name__ == "__main__":
    unittest.main()
