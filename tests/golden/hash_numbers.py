"""Numbers from a simple integer hash, the same in Python and in tests/nn/hash_numbers.h, so that golden files need not
hold inputs. All are multiples of 2^-15 of small size: exact in float32."""

import numpy as np


def mix(z):
    """SplitMix64's finaliser on a numpy array of uint64."""
    with np.errstate(over="ignore"):
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def words(stream, count):
    """count 16-bit integers: the top bits of mix(stream * 2^32 + i)."""
    base = np.uint64(stream) << np.uint64(32)
    return (mix(base + np.arange(count, dtype=np.uint64)) >> np.uint64(48)).astype(np.int64)


def numbers(stream, count):
    """count numbers in [-1, 1)."""
    return (words(stream, count) - 32768) / 32768.0
