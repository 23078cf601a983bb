"""From impressions and clicks to judged queries, without the bias towards items at high ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from model.search.learning.judgements import Judged

_SEEN_LEAST = 1e-3
_PRIOR_CLICKS, _PRIOR_SHOWN = 0.5, 5.0  # prior of every pair, since few impressions say little


class Shown(NamedTuple):
    """One row for each item that a search showed: query and item (dense ids), rank from 0, and whether clicked."""

    query_R: Int[np.ndarray, " R"]
    item_R: Int[np.ndarray, " R"]
    rank_R: Int[np.ndarray, " R"]
    clicked_R: Bool[np.ndarray, " R"]


class Estimate(NamedTuple):
    """`seen_K` is the chance that a rank is looked at, 1 for the first; `right_P` that a pair is clicked if seen.

    `query_P` and `item_P` are the distinct pairs, ascending.
    """

    seen_K: Float[np.ndarray, " K"]
    query_P: Int[np.ndarray, " P"]
    item_P: Int[np.ndarray, " P"]
    right_P: Float[np.ndarray, " P"]


def estimate(shown: Shown, *, rounds: int = 200) -> Estimate:
    """The position-based click model, fitted by expectation maximisation.

    A click requires that the rank is looked at and that the item is relevant (Richardson et al. 2007, WWW; Wang et al.
    2018, "Position bias estimation for unbiased learning to rank in personal search", WSDM). Ranks and pairs can be
    separated as far as pairs were shown at different ranks.
    """
    pairs, pair_R = np.unique(np.stack([shown.query_R, shown.item_R]), axis=1, return_inverse=True)
    shown_K, shown_P = np.bincount(shown.rank_R), np.bincount(pair_R)
    seen_K = (1.0 + np.arange(len(shown_K))) ** -0.5  # a start of 1 would never change
    clicks_P = np.bincount(pair_R, shown.clicked_R)
    right_P = (clicks_P + _PRIOR_CLICKS) / (shown_P + _PRIOR_SHOWN)
    for _ in range(rounds):
        seen_R, right_R = seen_K[shown.rank_R], right_P[pair_R]
        unclicked_R = np.maximum(1 - seen_R * right_R, 1e-9)
        # Without a click: the chances that it was looked at nevertheless, and that it was relevant nevertheless.
        looked_R = np.where(shown.clicked_R, 1.0, seen_R * (1 - right_R) / unclicked_R)
        fitting_R = np.where(shown.clicked_R, 1.0, right_R * (1 - seen_R) / unclicked_R)
        seen_K = np.bincount(shown.rank_R, looked_R) / np.maximum(shown_K, 1)
        seen_K = np.clip(seen_K, _SEEN_LEAST, 1.0)
        right_P = (np.bincount(pair_R, fitting_R) + _PRIOR_CLICKS) / (shown_P + _PRIOR_SHOWN)
    # Only their products are known, so the first rank is defined as always seen.
    return Estimate(np.minimum(seen_K / seen_K[0], 1.0), pairs[0], pairs[1], right_P * seen_K[0])


def judged(found: Estimate, queries: Sequence[str], *, relevant: float = 0.3) -> Judged:
    """The estimate as judged queries, with the chance of being relevant as relevance.

    Everything that learns from judgements can learn from these.
    """
    relevance: dict[int, dict[int, float]] = {}
    for query, item, right in zip(found.query_P.tolist(), found.item_P.tolist(), found.right_P.tolist(), strict=True):
        relevance.setdefault(query, {})[item] = right
    return Judged(tuple(queries[q] for q in relevance), tuple(relevance.values()), least=0.0, relevant=relevant)
