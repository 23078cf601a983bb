"""A shopper's taste in brands and prices, for the items that a search found.

For the things that a query names, brand and price are the main differences left; the vectors of a recommender mostly
describe the kind of thing, which the query already gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from model.search.index.collection import NONE, Collection

_BRAND_PRIOR = 3.0
_PRICE_PRIOR = 2.0  # prior: every shopper is assumed to have met this many items of medium price
_PRICE_WIDTH = 0.3
_BRAND_WEIGHT = 0.5


class Taste(NamedTuple):
    """How many items of each brand (by code) a shopper met, and their mean price level: 0 is a category's cheapest."""

    brands: Mapping[int, int]
    price_level: float


def from_items(slots_M: Int[np.ndarray, " M"], collection: Collection) -> Taste:
    """Return the taste of a shopper who met these items; each item counts once."""
    brands = Counter(code for code in collection.brand_N[slots_M].tolist() if code != NONE)
    level_M = _levels(slots_M, collection)
    level_M = level_M[np.isfinite(level_M)]
    return Taste(brands, float(level_M.sum() + _PRICE_PRIOR / 2) / (len(level_M) + _PRICE_PRIOR))


def liking(taste: Taste, slots_K: Int[np.ndarray, " K"], collection: Collection) -> Float32[np.ndarray, " K"]:
    """Return how well each of the items fits the taste, compared with the other items.

    A brand counts by how much more of it was met than is among the items; a price by how near its rank among theirs is
    to the preferred level, as the logarithm of a Gaussian.
    """
    brand_K, price_K = collection.brand_N[slots_K], collection.price_N[slots_K]
    codes, which_K, count = np.unique(brand_K, return_inverse=True, return_counts=True)
    met = np.array([taste.brands.get(code, 0) for code in codes.tolist()])
    brand = np.log1p(met / (_BRAND_PRIOR * count / max(len(slots_K), 1)))
    place_K = _places(price_K, np.sort(price_K[np.isfinite(price_K)]))
    near_K = -((place_K - taste.price_level) ** 2) / (2 * _PRICE_WIDTH**2)
    known_K = np.isfinite(near_K)
    near_K[~known_K] = near_K[known_K].mean() if known_K.any() else 0.0
    return (_BRAND_WEIGHT * brand[which_K] + near_K).astype(np.float32)


def _levels(slots_M: Int[np.ndarray, " M"], collection: Collection) -> Float[np.ndarray, " M"]:
    """The rank of each item's price in its category, 0 to 1; NaN without a price."""
    category_M, price_M = collection.category_N[slots_M], collection.price_N[slots_M]
    level_M = np.full(len(slots_M), np.nan)
    for category in np.unique(category_M).tolist():
        alike_M = category_M == category
        level_M[alike_M] = _places(price_M[alike_M], collection.prices_of(category))
    return level_M


def _places(price_K: Float32[np.ndarray, " K"], among_N: Float32[np.ndarray, " N"]) -> Float[np.ndarray, " K"]:
    """The rank of each price among ascending ones, 0 to 1, the same for equal ones; NaN without a price."""
    twice_K = np.searchsorted(among_N, price_K, side="left") + np.searchsorted(among_N, price_K, side="right")
    return np.where(np.isfinite(price_K), twice_K / 2 / max(len(among_N), 1), np.nan)
