import unittest
from dataclasses import replace

from oracle.model import Column, Stream
from oracle.times import choose_event_time, format_time, parse_iso, parse_time
from oracle.values import Rejected, canonical_text, format_money, parse_amount, parse_json

STREAM = Stream(topic="t", key="a", account="a")
BASE64 = Column(physical="bytes", semantic="org.apache.kafka.connect.data.Decimal", scale=2)


class AmountTest(unittest.TestCase):
    def amount(self, value, column=None, **settings):
        return parse_amount(value, column, replace(STREAM, **settings))

    def rejected(self, value, column=None, **settings):
        with self.assertRaises(Rejected) as caught:
            self.amount(value, column, **settings)
        return caught.exception.reason

    def test_base64_is_twos_complement_in_the_schemas_scale(self):
        # Seen on the wire for NUMERIC(10,2).
        for text, minor in {
            "BOI=": 1250,
            "AYaf": 99_999,
            "/fM=": -525,
            "/w==": -1,
            "AA==": 0,
            "AIA=": 128,
            "AlQL4/8=": 9_999_999_999,
        }.items():
            self.assertEqual(self.amount(text, BASE64), minor)

    def test_base64_without_a_schema_needs_configuration(self):
        self.assertEqual(self.amount("BOI=", amount_type="base64", base64_scale=2), 1250)
        self.assertEqual(self.rejected("BOI=", amount_type="base64"), "amount_scale_unknown")
        self.assertEqual(self.rejected("BOI="), "invalid_amount")

    def test_scale_and_value_struct(self):
        self.assertEqual(self.amount({"scale": 1, "value": "AIA="}), 1280)
        self.assertEqual(self.rejected({"scale": 4, "value": "EtaH"}), "amount_scale")

    def test_texts_and_numbers(self):
        for text, minor in {
            "12.50": 1250,
            "-0.01": -1,
            "0.00": 0,
            "7": 700,
            "12.5000": 1250,
            "9.999999999E7": 9_999_999_999,
        }.items():
            self.assertEqual(self.amount(text), minor)
            number = parse_json(text.encode())
            self.assertEqual(self.amount(number), minor)

    def test_what_is_no_amount(self):
        self.assertEqual(self.rejected(None), "missing_amount")
        self.assertEqual(self.rejected("twelve"), "invalid_amount")
        self.assertEqual(self.rejected("12,50"), "invalid_amount")
        self.assertEqual(self.rejected([1]), "invalid_amount")
        for text in ("NAN", "NaN", "Infinity", "-Infinity", "POSITIVE_INFINITY"):
            self.assertEqual(self.rejected(text), "amount_not_finite")

    def test_bounds(self):
        self.assertEqual(self.amount("10000000000000.00"), 10**15)
        self.assertEqual(self.rejected("10000000000000.01"), "amount_out_of_range")
        self.assertEqual(self.rejected("-10000000000000.01"), "amount_out_of_range")
        self.assertEqual(self.rejected("1E+999999999"), "amount_out_of_range")
        self.assertEqual(self.rejected("0.001"), "amount_scale")
        self.assertEqual(self.amount("0E+999999999"), 0)

    def test_format(self):
        self.assertEqual(format_money(-5, 2), "-0.05")
        self.assertEqual(format_money(472_015, 2), "4720.15")
        self.assertEqual(format_money(12, 0), "12")


class TimeTest(unittest.TestCase):
    def time(self, value, semantic=None, default=None, **settings):
        column = Column("int64", semantic, default=default) if semantic else None
        return parse_time(value, column, replace(STREAM, **settings))

    def test_units(self):
        micros = 1_767_323_045_678_901
        self.assertEqual(self.time(micros, "io.debezium.time.MicroTimestamp"), micros)
        self.assertEqual(self.time(20_455, "io.debezium.time.Date"), 20_455 * 86_400_000_000)
        self.assertEqual(
            self.time(1_767_323_045_678, "io.debezium.time.Timestamp"), 1_767_323_045_678_000
        )
        self.assertEqual(self.time(micros * 1_000 + 999, "io.debezium.time.NanoTimestamp"), micros)
        self.assertEqual(self.time(1_767_323_045_678, time_type="ms"), 1_767_323_045_678_000)

    def test_units_by_magnitude(self):
        for value in (1_767_323_045, 1_767_323_045_000, 1_767_323_045_000_000):
            self.assertEqual(self.time(value), 1_767_323_045_000_000)

    def test_iso_texts(self):
        self.assertEqual(parse_iso("1970-01-01T00:00:00.000001Z"), 1)
        self.assertEqual(parse_iso("1970-01-01 01:00:00+01:00"), 0)
        self.assertEqual(parse_iso("2026-01-02Z"), 20_455 * 86_400_000_000)
        self.assertEqual(parse_iso("1969-12-31T23:59:59.5Z"), -500_000)
        micros = parse_iso("2026-03-04T11:02:07.512Z")
        self.assertEqual(format_time(micros), "2026-03-04T11:02:07.512000Z")
        self.assertIsNone(parse_iso("yesterday"))

    def test_unusable_times(self):
        for value in (None, 2**63 - 1, -(2**63), -(2**63) + 1, "infinity", "-infinity", 0):
            self.assertIsNone(self.time(value))

    def test_zero_is_1970_only_where_the_schema_has_no_default_zero(self):
        semantic = "io.debezium.time.MicroTimestamp"
        self.assertEqual(self.time(0, semantic), 0)
        self.assertIsNone(self.time(0, semantic, default=0))

    def test_a_time_too_far_ahead_is_replaced(self):
        commit_ms, ahead = 1_000_000, 300_000_000
        limit = commit_ms * 1_000 + ahead
        self.assertEqual(choose_event_time(limit, commit_ms, 5, ahead), (limit, "field"))
        self.assertEqual(
            choose_event_time(limit + 1, commit_ms, 5, ahead), (10**9, "source_commit")
        )
        self.assertEqual(choose_event_time(limit + 1, None, 7, ahead), (7_000, "record"))
        self.assertEqual(choose_event_time(None, commit_ms, 5, ahead), (10**9, "source_commit"))
        with self.assertRaisesRegex(Rejected, "missing_time"):
            choose_event_time(None, None, -1, ahead)

    def test_format_is_clamped(self):
        self.assertEqual(format_time(-(2**63)), "0001-01-01T00:00:00.000000Z")
        self.assertEqual(format_time(2**63 - 1), "9999-12-31T23:59:59.999999Z")


class JsonTest(unittest.TestCase):
    def test_first_of_equal_keys_counts(self):
        self.assertEqual(parse_json(b'{"a":1,"a":2}'), {"a": 1})

    def test_what_is_not_json(self):
        for data in (b"", b"{", b"{}x", b"NaN", b"[Infinity]", b"{'a':1}"):
            with self.assertRaisesRegex(Rejected, "malformed_json"):
                parse_json(data)
        with self.assertRaisesRegex(Rejected, "invalid_utf8"):
            parse_json(b'"\xff"')

    def test_canonical_texts(self):
        self.assertEqual(canonical_text(1042), canonical_text("1042"))
        self.assertIsNone(canonical_text("__debezium_unavailable_value"))
        with self.assertRaisesRegex(Rejected, "invalid_value"):
            canonical_text({})


if __name__ == "__main__":
    unittest.main()
