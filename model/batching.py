"""Shape buckets: every array that reaches a compiled function has one of a few shapes known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def bucket_of(n: int, buckets: Sequence[int]) -> int:
    """The smallest bucket that holds `n`; `buckets` ascend. Raises ValueError when none does."""
    for bucket in buckets:
        if n <= bucket:
            return bucket
    raise ValueError(f"{n} rows fit in no bucket of {tuple(buckets)}; split the batch with `tiles` first")


def power_of_two(n: int, *, least: int = 1) -> int:
    """The smallest power of two that is at least `n` and at least `least`."""
    return 1 << max(n - 1, least - 1, 0).bit_length()


def roomy(n: int) -> int:
    """The least number from `n` on that is 4, 5, 6 or 7 times a power of two: at most a quarter more than `n`."""
    unit = power_of_two(max(n, 4) + 1) // 8 or 1
    return -(-max(n, 4) // unit) * unit


def tiles(n: int, size: int) -> Iterator[slice]:
    """Slices of `size` rows that cover 0..n; the last may be shorter."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def pad_rows(array: np.ndarray, rows: int, fill: float = 0) -> np.ndarray:
    """`array` with `fill` rows appended to its first axis until it has `rows` rows; same dtype."""
    if len(array) == rows:
        return array
    padded = np.full((rows, *array.shape[1:]), fill, array.dtype)
    padded[: len(array)] = array
    return padded


def pad_lists(lists: Sequence[Sequence[float]], *, rows: int, width: int, fill: float, dtype: type) -> np.ndarray:
    """A `rows` x `width` array that holds `lists` left-aligned; the rest is `fill`."""
    padded = np.full((rows, width), fill, dtype)
    for row, values in enumerate(lists):
        padded[row, : len(values)] = values
    return padded
