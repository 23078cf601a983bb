"""The rankers that a network has to beat: popularity, and a table of what follows what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from model.recommend.events import Interactions
from model.recommend.split import Holdout


class Table(NamedTuple):
    """Sparse rows: item a is followed by `to_P[p]`, `count_P[p]` times, for p in `row_N[a]:row_N[a + 1]`."""

    row_N: Int[np.ndarray, " N1"]
    to_P: Int[np.ndarray, " P"]
    count_P: Float[np.ndarray, " P"]


def popularity(items_E: Int[np.ndarray, " E"], catalogue: int) -> Float[np.ndarray, " N"]:
    """How often each item occurs."""
    return np.bincount(items_E, minlength=catalogue).astype(np.float64)


def rank_popular(counts_N: Float[np.ndarray, " N"], excluded: Sequence[np.ndarray], *, k: int = 10) -> list[np.ndarray]:
    """For each case the `k` most frequent items that are not excluded; ties by dense id."""
    order_N = np.argsort(-counts_N, kind="stable")
    ranked = []
    for old in excluded:
        head = order_N[: k + len(old)]
        ranked.append(head[~np.isin(head, old)][:k])
    return ranked


def cooccurrence(events: Interactions, mask_E: np.ndarray, catalogue: int, *, window: int = 5) -> Table:
    """Counts of item b within the next `window` events of a user after item a, each 1 / distance.

    `events` are ordered by user and time; only events where `mask_E` is True count.
    """
    items_E, users_E = events.items_E[mask_E].astype(np.int64), events.users_E[mask_E]
    keys, values = [], []
    for distance in range(1, window + 1):
        together = users_E[:-distance] == users_E[distance:]
        keys.append((items_E[:-distance] * catalogue + items_E[distance:])[together])
        values.append(np.full(int(together.sum()), 1.0 / distance))
    pairs_P, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    count_P = np.bincount(inverse, weights=np.concatenate(values), minlength=len(pairs_P))
    row_N = np.searchsorted(pairs_P // catalogue, np.arange(catalogue + 1))
    return Table(row_N, (pairs_P % catalogue).astype(np.int32), count_P)


def rank_cooccurrence(
    table: Table,
    counts_N: Float[np.ndarray, " N"],
    events: Interactions,
    holdout: Holdout,
    excluded: Sequence[np.ndarray],
    *,
    k: int = 10,
    last: int = 10,
) -> list[np.ndarray]:
    """For each case the `k` items with most votes: the `last` newest events vote with their rows / recency.

    Ties, and the places after the last vote, go by popularity.
    """
    tie_N = counts_N / (counts_N.sum() + 1.0) * 1e-6
    ranked = []
    for start, end, old in zip(holdout.start_S, holdout.end_S, excluded, strict=True):
        votes_N = tie_N.copy()
        for recency, item in enumerate(events.items_E[max(start, end - last) : end][::-1], start=1):
            row = slice(table.row_N[item], table.row_N[item + 1])
            votes_N[table.to_P[row]] += table.count_P[row] / recency
        votes_N[old] = -np.inf
        head = np.argpartition(-votes_N, min(k, len(votes_N) - 1))[:k]
        ranked.append(head[np.lexsort((head, -votes_N[head]))])
    return ranked
