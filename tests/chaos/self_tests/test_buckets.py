import unittest

from buckets import SEED, bucket_of, key_hash, tag_of
from colliding import TAG_BITS, colliding_accounts

# Key, seed, and both halves of what libxxhash 0.8 says.
KNOWN = (
    (b"1", 0x0, 0x65CD25028F98F158, 0xDF3CE784D856334D),
    (b"42", 0x0, 0x1217CB28C0EF2191, 0xB080CCD44C7163E9),
    (b"999", 0x0, 0x82EEDD60F1B12795, 0x2076B632B1509334),
    (b"1234", 0x0, 0x823C8C03E6DD2202, 0x9A4DEA864648AF82),
    (b"20000", 0x0, 0x4842C1587CE5FE86, 0xC9614F8B1A919D24),
    (b"7654321", 0x0, 0x81BA92D84A3FA0BA, 0xC0B43FA298FFDEA2),
    (b"12345678", 0x0, 0x2B3F7D2855DC91FC, 0x155C340CCFFD12DC),
    (b"1", 0x1234567890ABCDEF, 0x9A06E1171FAEF28F, 0x10349FC9DCD8481A),
    (b"42", 0x1234567890ABCDEF, 0x5898F26BECEC67B4, 0x3A646DCF18ED421F),
    (b"999", 0x1234567890ABCDEF, 0x0470D11897868706, 0x580E0BB04B5AB7F8),
    (b"1234", 0x1234567890ABCDEF, 0x1AC6A66E110CCD61, 0x9A6C217359B22268),
    (b"20000", 0x1234567890ABCDEF, 0x2398EB35A599641F, 0xC764B5E76751CC8D),
    (b"7654321", 0x1234567890ABCDEF, 0x0D5A12BE45F84F96, 0x6292632A7E826AE2),
    (b"12345678", 0x1234567890ABCDEF, 0xB9D07B63DC693FBE, 0x8B883115001E7607),
)


class BucketsTest(unittest.TestCase):
    def test_the_hash_is_that_of_the_library(self):
        for key, seed, low, high in KNOWN:
            self.assertEqual(key_hash(key, seed), (low, high), key)

    def test_buckets_are_shares_of_the_upper_bits(self):
        keys = [str(number) for number in range(1, 5000)]
        counts = [0] * 16
        for key in keys:
            counts[bucket_of(key, 16)] += 1
        self.assertEqual(sum(counts), len(keys))
        self.assertLess(max(counts) - min(counts), 150)

    def test_longer_keys_are_refused(self):
        with self.assertRaises(ValueError):
            key_hash(b"123456789", 0)

    def test_the_seed_is_the_beginning_of_a_digest(self):
        # printf 'caracal hash seed\nknown to those who attack' | sha256sum
        self.assertEqual(SEED, 0x790EAF5A47F86361)


class CollidingTest(unittest.TestCase):
    def test_accounts_share_a_bucket_and_the_beginning_of_the_tag(self):
        accounts = colliding_accounts(20, 16, first=31_000_000)
        self.assertEqual(len(set(accounts)), 20)
        self.assertEqual(len({bucket_of(str(account), 16) for account in accounts}), 1)
        tags = {tag_of(str(account)) >> 32 - TAG_BITS for account in accounts}
        self.assertEqual(len(tags), 1)


if __name__ == "__main__":
    unittest.main()
