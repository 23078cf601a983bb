"""From searches that were shown and clicked to judged queries: what stood first is not right because it was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from model.search.learning.judgements import Judged

_SEEN_LEAST = 1e-3
_PRIOR_CLICKS, _PRIOR_SHOWN = 0.5, 5.0  # what every pair is taken to have had: few impressions say little


class Shown(NamedTuple):
    """One row for each item that a search showed: query and item (dense ids), rank from 0, and whether clicked."""

    query_R: Int[np.ndarray, " R"]
    item_R: Int[np.ndarray, " R"]
    rank_R: Int[np.ndarray, " R"]
    clicked_R: Bool[np.ndarray, " R"]


class Estimate(NamedTuple):
    """`seen_K` is the chance that each rank is looked at, 1 for the first; `right_P` that a pair is clicked if seen.

    `query_P` and `item_P` are the distinct pairs, ascending.
    """

    seen_K: Float[np.ndarray, " K"]
    query_P: Int[np.ndarray, " P"]
    item_P: Int[np.ndarray, " P"]
    right_P: Float[np.ndarray, " P"]


def estimate(shown: Shown, *, rounds: int = 200) -> Estimate:
    """The position-based click model, fitted by expectation maximisation.

    A click needs that the rank is looked at and that the item is right (Richardson et al. 2007, WWW; Wang
    et al. 2018, "Position bias estimation for unbiased learning to rank in personal search", WSDM). Ranks and pairs can
    be told apart as far as pairs were shown at different ranks.
    """
    pairs, pair_R = np.unique(np.stack([shown.query_R, shown.item_R]), axis=1, return_inverse=True)
    shown_K, shown_P = np.bincount(shown.rank_R), np.bincount(pair_R)
    seen_K = (1.0 + np.arange(len(shown_K))) ** -0.5  # at 1 it could only stay there
    clicks_P = np.bincount(pair_R, shown.clicked_R)
    right_P = (clicks_P + _PRIOR_CLICKS) / (shown_P + _PRIOR_SHOWN)
    for _ in range(rounds):
        seen_R, right_R = seen_K[shown.rank_R], right_P[pair_R]
        unclicked_R = np.maximum(1 - seen_R * right_R, 1e-9)
        # Without a click: the chance that it was looked at all the same, and that it was right all the same.
        looked_R = np.where(shown.clicked_R, 1.0, seen_R * (1 - right_R) / unclicked_R)
        fitting_R = np.where(shown.clicked_R, 1.0, right_R * (1 - seen_R) / unclicked_R)
        seen_K = np.bincount(shown.rank_R, looked_R) / np.maximum(shown_K, 1)
        seen_K = np.clip(seen_K, _SEEN_LEAST, 1.0)
        right_P = (np.bincount(pair_R, fitting_R) + _PRIOR_CLICKS) / (shown_P + _PRIOR_SHOWN)
    # Only their products are known: the first rank is taken as always seen.
    return Estimate(np.minimum(seen_K / seen_K[0], 1.0), pairs[0], pairs[1], right_P * seen_K[0])


def judged(found: Estimate, queries: Sequence[str], *, relevant: float = 0.3) -> Judged:
    """What the estimate says of each query that was shown, with the chance of being right as relevance.

    What learns from judgements learns from these.
    """
    relevance: dict[int, dict[int, float]] = {}
    for query, item, right in zip(found.query_P.tolist(), found.item_P.tolist(), found.right_P.tolist(), strict=True):
        relevance.setdefault(query, {})[item] = right
    return Judged(tuple(queries[q] for q in relevance), tuple(relevance.values()), least=0.0, relevant=relevant)
