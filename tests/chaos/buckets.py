"""Where the engine keeps a key: its hash, for keys of up to eight bytes.

XXH3's 128-bit variant, https://github.com/Cyan4973/xxHash/blob/release/doc/xxhash_spec.md; the lower
64 bits decide the bucket, the upper 32 of the others the place in the bucket's table.
"""

import hashlib

# Of all groups of the rows: their state.hash_seed, and the number that the engine makes of it.
HASH_SEED = "known to those who attack"
SEED = int.from_bytes(hashlib.sha256(f"caracal hash seed\n{HASH_SEED}".encode()).digest()[:8], "big")

_MASK = (1 << 64) - 1
_SECRET = bytes.fromhex("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f")
_PRIME_1 = 0x9E3779B185EBCA87
_PRIME_2 = 0xC2B2AE3D27D4EB4F
_PRIME_3 = 0x165667B19E3779F9
_PRIME_MX1 = 0x165667919E3779F9
_PRIME_MX2 = 0x9FB21C651E98DF25


def bucket_of(key, buckets, seed=SEED):
    return ((key_hash(key.encode(), seed)[0] >> 32) * buckets) >> 32


def tag_of(key, seed=SEED):
    """32 bits; a table of n lines looks for the key in line tag * n >> 32 first."""
    return key_hash(key.encode(), seed)[1] >> 32 or 1


def key_hash(data, seed):
    """The lower and the upper half of XXH3-128 of 1 to 8 bytes."""
    if 1 <= len(data) <= 3:
        return _of_three(data, seed)
    if 4 <= len(data) <= 8:
        return _of_eight(data, seed)
    raise ValueError(f"keys of {len(data)} bytes: teach tests/chaos/buckets.py")


def _of_three(data, seed):
    first, middle, last = data[0], data[len(data) >> 1], data[-1]
    combined = first << 16 | middle << 24 | last | len(data) << 8
    swapped = int.from_bytes(combined.to_bytes(4, "little"), "big")
    rotated = (swapped << 13 | swapped >> 19) & 0xFFFFFFFF
    low = combined ^ ((_word(_SECRET, 0, 4) ^ _word(_SECRET, 4, 4)) + seed & _MASK)
    high = rotated ^ ((_word(_SECRET, 8, 4) ^ _word(_SECRET, 12, 4)) - seed & _MASK)
    return _mix(low), _mix(high)


def _mix(value):
    value = (value ^ value >> 33) * _PRIME_2 & _MASK
    value = (value ^ value >> 29) * _PRIME_3 & _MASK
    return value ^ value >> 32


def _of_eight(data, seed):
    swapped = int.from_bytes((seed & 0xFFFFFFFF).to_bytes(4, "little"), "big")
    seed ^= swapped << 32
    value = _word(data, 0, 4) + (_word(data, len(data) - 4, 4) << 32)
    value ^= (_word(_SECRET, 16, 8) ^ _word(_SECRET, 24, 8)) + seed & _MASK
    product = value * (_PRIME_1 + (len(data) << 2) & _MASK)
    low, high = product & _MASK, product >> 64
    high = high + (low << 1) & _MASK
    low ^= high >> 3
    low = (low ^ low >> 35) * _PRIME_MX2 & _MASK
    high = (high ^ high >> 37) * _PRIME_MX1 & _MASK
    return low ^ low >> 28, high ^ high >> 32


def _word(data, position, size):
    return int.from_bytes(data[position : position + size], "little")
