"""The baselines of every evaluation: popularity, and votes of a table of item-to-item counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from model.recommend.events import Interactions
from model.recommend.split import Holdout
from model.recommend.transitions import Table


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


def rank_by_table(
    table: Table,
    counts_N: Float[np.ndarray, " N"],
    events: Interactions,
    holdout: Holdout,
    excluded: Sequence[np.ndarray],
    *,
    k: int = 10,
) -> list[np.ndarray]:
    """For each case the `k` items with most votes; ties, and ranks after the last vote, go by popularity."""
    cases = zip(votes(table, counts_N, events, holdout), excluded, strict=True)
    return [head(votes_N, old, k) for votes_N, old in cases]


def head(scores_N: Float[np.ndarray, " N"], excluded: np.ndarray, k: int) -> np.ndarray:
    """The `k` items with the greatest scores that are not excluded, ties by dense id; overwrites `scores_N`."""
    scores_N[excluded] = -np.inf
    best = np.argpartition(-scores_N, min(k, len(scores_N) - 1))[:k]
    return best[np.lexsort((best, -scores_N[best]))]


def votes(
    table: Table, counts_N: Float[np.ndarray, " N"], events: Interactions, holdout: Holdout, *, last: int = 10
) -> Iterator[Float[np.ndarray, " N"]]:
    """For each case the votes for every item: the `last` newest events vote with their rows / recency."""
    tie_N = counts_N / (counts_N.sum() + 1.0) * 1e-6
    for start, end in zip(holdout.start_S, holdout.end_S, strict=True):
        votes_N = tie_N.copy()
        for recency, item in enumerate(events.items_E[max(start, end - last) : end][::-1], start=1):
            row = slice(table.row_N[item], table.row_N[item + 1])
            votes_N[table.to_P[row]] += table.count_P[row] / recency
        yield votes_N


def item_cosine(events: Interactions, mask_E: np.ndarray, catalogue: int, *, last: int = 50) -> Table:
    """Similarities u.v / sqrt(|u| |v| + 1e-9) of items, u and v being the sets of users who touched them.

    Sarwar et al. 2001 (WWW). `events` are sorted by user; for each user the `last` newest distinct items count.
    """
    items_E, users_E = events.items_E[mask_E].astype(np.int64), events.users_E[mask_E].astype(np.int64)
    newest_P = np.unique(users_E[::-1] * catalogue + items_E[::-1], return_index=True)[1]
    at_P = np.sort(len(items_E) - 1 - newest_P)
    items_P, users_P = items_E[at_P], users_E[at_P]
    ends_P = np.searchsorted(users_P, users_P, "right")
    kept = np.arange(len(users_P)) >= ends_P - last
    items_P, users_P = items_P[kept], users_P[kept]
    keys = [np.zeros(0, np.int64)]
    for distance in range(1, last):
        together = users_P[:-distance] == users_P[distance:]
        one, other = items_P[:-distance][together], items_P[distance:][together]
        keys += [one * catalogue + other, other * catalogue + one]
    pairs_P, both_P = np.unique(np.concatenate(keys), return_counts=True)
    from_P, to_P = pairs_P // catalogue, (pairs_P % catalogue).astype(np.int32)
    size_N = np.bincount(items_P, minlength=catalogue).astype(np.float64)
    row_N = np.searchsorted(from_P, np.arange(catalogue + 1))
    return Table(row_N, to_P, both_P / np.sqrt(size_N[from_P] * size_N[to_P] + 1e-9))
