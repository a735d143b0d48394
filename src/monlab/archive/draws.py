"""Chance that is the same on every machine: raw bits of PCG64 and integers only.

NumPy promises the raw stream of a bit generator for good, and nothing of the kind for its distributions. Whole numbers have no
last bit that differs between processors.
"""

import hashlib
from itertools import pairwise

import numpy as np

from monlab.archive.month import SEED

# Quantiles of a request's time, in permille of the median: a long tail to the right, as services have it.
KNOTS = (
    (0, 380), (100, 560), (250, 740), (500, 1000), (750, 1400), (900, 2050), (950, 2700),
    (990, 4600), (997, 6800), (1000, 11000),
)  # fmt: skip
STEPS = 1 << 14


def stream(name: str) -> np.random.PCG64:
    """A stream of its own for each purpose, so that a change of one draw leaves the others as they are."""
    seed = int.from_bytes(hashlib.sha256(f"{SEED} {name}".encode()).digest()[:16], "big")
    return np.random.PCG64(seed)


def bits(name: str, count: int) -> np.ndarray:
    """`count` whole numbers of 64 random bits."""
    return stream(name).random_raw(count)


def below(name: str, count: int, limit: int | np.ndarray) -> np.ndarray:
    """Whole numbers from 0 up to, not including, `limit` (below 2**31; one for all, or one each)."""
    return ((bits(name, count) >> np.uint64(32)) * np.asarray(limit, np.uint64) >> np.uint64(32)).astype(np.int64)


def chosen(name: str, count: int, permille: int | np.ndarray) -> np.ndarray:
    """True with the given chance in permille."""
    return below(name, count, 1000) < permille


def times_us(name: str, count: int, median_us: int | np.ndarray) -> np.ndarray:
    """Durations around a median, in microseconds."""
    raw = bits(name, count)
    coarse = _TABLE[(raw >> np.uint64(50)).astype(np.int64)]
    fine = 980 + ((raw & np.uint64(0xFFFFF)) * np.uint64(41) >> np.uint64(20)).astype(np.int64)  # 0.980 to 1.020
    return np.maximum(median_us * coarse // 1000 * fine // 1000, 20)


def counts(name: str, mean_thousandths: np.ndarray) -> np.ndarray:
    """How many come in each minute when so many (in thousandths) are expected: a Poisson number, nearly.

    The spread is that of a Poisson number; the shape is the sum of twelve dice.
    """
    size = len(mean_thousandths)
    raw = stream(name).random_raw(size * 3).reshape(3, size)
    dice = np.zeros(size, np.int64)
    for word in raw:
        for shift in (0, 16, 32, 48):
            dice += (word >> np.uint64(shift) & np.uint64(0xFFFF)).astype(np.int64)
    spread = np.sqrt(mean_thousandths.astype(np.float64) * 1000).astype(np.int64)  # sqrt is rounded rightly everywhere
    return np.maximum((mean_thousandths + spread * (dice - 6 * 65536) // 65536 + 500) // 1000, 0)


def _table() -> np.ndarray:
    """The inverse of the distribution at STEPS points, by straight lines between the knots."""
    table = np.empty(STEPS, np.int64)
    for (low, a), (high, b) in pairwise(KNOTS):
        first, last = low * STEPS // 1000, high * STEPS // 1000
        table[first:last] = a + (b - a) * np.arange(last - first) // (last - first)
    return table


_TABLE = _table()
