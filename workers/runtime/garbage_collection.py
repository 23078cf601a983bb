"""Garbage collection of a serving process: objects that stay for good are not scanned again and again."""

from __future__ import annotations

import gc

# A batch makes thousands of small tuples, none of them part of a cycle; by default Python would scan them every 700.
_ALLOCATIONS = 50_000


def freeze() -> None:
    """Exclude the existing objects from Python's full collections: scanning a catalogue takes longer than an answer.

    Excluded objects that are dropped later are still freed, unless they are part of a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
