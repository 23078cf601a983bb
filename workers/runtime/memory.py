"""Memory of a process that serves: what stays for good is not looked through again and again."""

from __future__ import annotations

import gc


def settle() -> None:
    """Keep what stands now out of Python's full collections: to walk a catalogue takes longer than to answer from it.

    What is dropped later is freed all the same, unless it is part of a cycle.
    """
    gc.collect()
    gc.freeze()
