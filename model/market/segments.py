"""Customer segments: by recency, frequency and money, and by the vectors of what customers bought."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

CHAMPIONS, LOYAL, NEW, OCCASIONAL, SLIPPING, LOST = "champions", "loyal", "new", "occasional", "slipping away", "lost"
NAMES = (CHAMPIONS, LOYAL, NEW, OCCASIONAL, SLIPPING, LOST)
DESCRIPTIONS = {
    CHAMPIONS: "bought lately, and buy often",
    LOYAL: "buy often, and bought not long ago",
    NEW: "bought lately, for the first time",
    OCCASIONAL: "bought not long ago, and buy seldom",
    SLIPPING: "bought often, and have not come for long",
    LOST: "bought seldom, and have not come for long",
}

_FIFTHS = np.arange(1, 5) / 5
_FEWEST, _MOST = 3, 8
_PER_CLUSTER = 50
_JUDGED = 2_000


class Clusters(NamedTuple):
    """The cluster of each customer, and the centre of each cluster (of length 1)."""

    cluster_C: Int[np.ndarray, " C"]
    centres_KxD: Float[np.ndarray, "K D"]


def scores(values_C: Float[np.ndarray, " C"]) -> Int[np.ndarray, " C"]:
    """Return the fifth, 1 to 5, in which each value lies; equal values lie in the same one."""
    return 1 + np.searchsorted(np.quantile(values_C, _FIFTHS), values_C, side="left")


def by_recency_frequency(
    days_since_C: Float[np.ndarray, " C"], orders_C: Int[np.ndarray, " C"], amount_C: Float[np.ndarray, " C"]
) -> Int[np.ndarray, " C"]:
    """Return each customer's segment as its number in `NAMES`.

    Frequency is the mean of the fifths of orders and of money (RFM; Hughes, Strategic database marketing, 1994).
    """
    if not len(days_since_C):
        return np.zeros(0, int)
    recency = scores(-days_since_C)
    frequency = (scores(orders_C) + scores(amount_C)) / 2
    often = (frequency >= 4) & (orders_C > 1)
    rules = [often & (recency >= 4), often & (recency == 3), (recency >= 4) & (orders_C == 1)]
    rules += [~often & (recency >= 3), often]
    return np.select(rules, range(len(rules)), default=NAMES.index(LOST))


def by_vectors(vectors_CxD: Float[np.ndarray, "C D"], *, seed: int = 0) -> Clusters | None:
    """Return clusters of customers by k-means on the directions of their vectors; None for too few customers.

    Of 3 to 8 clusters it takes the number with the best silhouette (Rousseeuw, 1987).
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    lengths = np.linalg.norm(vectors_CxD, axis=1, keepdims=True)
    unit = vectors_CxD / np.maximum(lengths, 1e-12)
    most = min(_MOST, len(unit) // _PER_CLUSTER)
    if most < _FEWEST:
        return None
    fitted = [KMeans(count, n_init=2, random_state=seed).fit(unit) for count in range(_FEWEST, most + 1)]
    judged = [silhouette_score(unit, one.labels_, sample_size=_JUDGED, random_state=seed) for one in fitted]
    best = fitted[int(np.argmax(judged))]
    centres = best.cluster_centers_
    return Clusters(best.labels_, centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12))
