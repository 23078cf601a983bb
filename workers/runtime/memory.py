"""Memory of a process that serves: what stays for good is not looked through again and again."""

from __future__ import annotations

import gc

# A batch makes thousands of small tuples, none of them part of a cycle; Python would look through them at every 700.
_ALLOCATIONS = 50_000


def settle() -> None:
    """Keep what stands now out of Python's full collections: to walk a catalogue takes longer than to answer from it.

    What is dropped later is freed all the same, unless it is part of a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
