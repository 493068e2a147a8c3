"""Which bucket a key belongs to: the engine's hash, for keys of up to eight bytes.

XXH3's 128-bit variant, https://github.com/Cyan4973/xxHash/blob/release/doc/xxhash_spec.md; the lower
64 bits are all that decides the bucket.
"""

_MASK = (1 << 64) - 1
_SECRET = bytes.fromhex("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f")
_PRIME_1 = 0x9E3779B185EBCA87
_PRIME_2 = 0xC2B2AE3D27D4EB4F
_PRIME_3 = 0x165667B19E3779F9
_PRIME_MX2 = 0x9FB21C651E98DF25


def bucket_of(key, buckets, seed=0):
    return ((low_hash(key.encode(), seed) >> 32) * buckets) >> 32


def low_hash(data, seed=0):
    """The lower half of XXH3-128 of 1 to 8 bytes."""
    if 1 <= len(data) <= 3:
        return _of_three(data, seed)
    if 4 <= len(data) <= 8:
        return _of_eight(data, seed)
    raise ValueError(f"keys of {len(data)} bytes: teach tests/chaos/buckets.py")


def _of_three(data, seed):
    first, middle, last = data[0], data[len(data) >> 1], data[-1]
    combined = first << 16 | middle << 24 | last | len(data) << 8
    value = combined ^ ((_word(_SECRET, 0, 4) ^ _word(_SECRET, 4, 4)) + seed & _MASK)
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
    return low ^ low >> 28


def _word(data, position, size):
    return int.from_bytes(data[position : position + size], "little")
