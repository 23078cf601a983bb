"""What an incremental update goes through again, so that it forgets nothing: older windows, chosen item by item."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from model.recommend.events import Interactions


def exemplars(
    events: Interactions, start_S: Int[np.ndarray, " S"], end_S: Int[np.ndarray, " S"], *, budget: int, seed: int
) -> Int[np.ndarray, " X"]:
    """The numbers of the windows `start_S[s]:end_S[s]` to replay, ascending: about `budget` events of them in all.

    Items take turns in asking for a window that holds one of their events, at random; an item of four times the events
    asks twice as often, and not while the windows chosen so far hold enough of it. Exemplars by item are those of ADER
    (Mi, Lin and Faltings 2020, RecSys); that they come in whole windows makes every event of a window worth its cost.
    """
    if budget >= int((end_S - start_S).sum()):
        return np.arange(len(start_S))
    window_E = np.repeat(np.arange(len(start_S)), end_S - start_S)
    items_E = np.concatenate([events.items_E[start:end] for start, end in zip(start_S, end_S, strict=True)] or [[]])
    items_E = items_E.astype(np.int64)
    random = np.random.default_rng(seed)
    turn_E = _turns(items_E, random.permutation(len(items_E)))
    counts_N = np.bincount(items_E)
    urgency_E = turn_E / np.sqrt(counts_N[items_E])
    order_E = np.lexsort((random.random(len(items_E)), urgency_E))
    held_N, chosen, spent = np.zeros(len(counts_N), np.int64), set(), 0
    for event in order_E.tolist():
        if spent >= budget:
            break
        window = int(window_E[event])
        if window in chosen or held_N[items_E[event]] > turn_E[event]:
            continue
        chosen.add(window)
        span = slice(int(start_S[window]), int(end_S[window]))
        np.add.at(held_N, events.items_E[span], 1)
        spent += span.stop - span.start
    return np.array(sorted(chosen), np.int64)


def _turns(items_E: np.ndarray, shuffled_E: np.ndarray) -> np.ndarray:
    """For each event how many of its item come before it in a random order."""
    by_item = shuffled_E[np.argsort(items_E[shuffled_E], kind="stable")]
    sorted_items = items_E[by_item]
    first = np.searchsorted(sorted_items, sorted_items)
    turns_E = np.empty(len(items_E), np.int64)
    turns_E[by_item] = np.arange(len(items_E)) - first
    return turns_E
