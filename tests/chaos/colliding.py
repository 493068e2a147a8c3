"""Accounts that state keeps in one place: what somebody would pay with who knows the seed."""

from buckets import bucket_of, tag_of

TAG_BITS = 6  # all in one 64th of the table of one bucket
_DIGITS = 8


def colliding_accounts(count, buckets, first):
    """`count` numbers of eight digits from `first` on, which collide with it."""
    bucket, place = bucket_of(str(first), buckets), _place(str(first))
    found = []
    for number in range(first, 10**_DIGITS):
        key = str(number)
        if _place(key) == place and bucket_of(key, buckets) == bucket:
            found.append(number)
            if len(found) == count:
                return found
    raise ValueError(f"only {len(found)} accounts from {first} on collide")


def _place(key):
    return tag_of(key) >> 32 - TAG_BITS
