import unittest

from buckets import bucket_of, low_hash

# Key, seed, and the lower half of what libxxhash 0.8 says.
KNOWN = (
    (b"1", 0x0, 0x65CD25028F98F158),
    (b"42", 0x0, 0x1217CB28C0EF2191),
    (b"999", 0x0, 0x82EEDD60F1B12795),
    (b"1234", 0x0, 0x823C8C03E6DD2202),
    (b"20000", 0x0, 0x4842C1587CE5FE86),
    (b"7654321", 0x0, 0x81BA92D84A3FA0BA),
    (b"12345678", 0x0, 0x2B3F7D2855DC91FC),
    (b"1", 0x1234567890ABCDEF, 0x9A06E1171FAEF28F),
    (b"42", 0x1234567890ABCDEF, 0x5898F26BECEC67B4),
    (b"999", 0x1234567890ABCDEF, 0x0470D11897868706),
    (b"1234", 0x1234567890ABCDEF, 0x1AC6A66E110CCD61),
    (b"20000", 0x1234567890ABCDEF, 0x2398EB35A599641F),
    (b"7654321", 0x1234567890ABCDEF, 0x0D5A12BE45F84F96),
    (b"12345678", 0x1234567890ABCDEF, 0xB9D07B63DC693FBE),
)


class BucketsTest(unittest.TestCase):
    def test_the_hash_is_that_of_the_library(self):
        for key, seed, expected in KNOWN:
            self.assertEqual(low_hash(key, seed), expected, key)

    def test_buckets_are_shares_of_the_upper_bits(self):
        keys = [str(number) for number in range(1, 5000)]
        counts = [0] * 16
        for key in keys:
            counts[bucket_of(key, 16)] += 1
        self.assertEqual(sum(counts), len(keys))
        self.assertLess(max(counts) - min(counts), 150)

    def test_longer_keys_are_refused(self):
        with self.assertRaises(ValueError):
            low_hash(b"123456789")


if __name__ == "__main__":
    unittest.main()
