"""Exact filters and facets over all results: nothing is filtered after a cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from model.search.index.collection import Collection, Labels

MOST_LABELS = 50
"""Most labels of one field that are counted."""


@dataclass(frozen=True)
class Filters:
    """Conditions on a result; an empty tuple or None is no condition. Prices are in the shop's currency, inclusive."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    price_from: float | None = None
    price_to: float | None = None
    available: bool = True


def mask(collection: Collection, filters: Filters) -> Bool[np.ndarray, " N"]:
    """Which slots hold an item that passes. An item without a price passes no price range."""
    passes_N = collection.open_N.copy()
    if filters.available:
        passes_N &= collection.available_N
    for names, labels, code_N in (
        (filters.categories, collection.categories, collection.category_N),
        (filters.brands, collection.brands, collection.brand_N),
    ):
        if names:
            passes_N &= np.isin(code_N, labels.known(names))
    if filters.price_from is not None:
        passes_N &= collection.price_N >= filters.price_from
    if filters.price_to is not None:
        passes_N &= collection.price_N <= filters.price_to
    return passes_N


def facets(collection: Collection, found_N: Bool[np.ndarray, " N"], filters: Filters) -> dict[str, dict[str, int]]:
    """How many of the slots `found_N` that pass have each category and brand: the `MOST_LABELS` largest, in order.

    A field is counted as if it had no filter itself, so that a shopper who has chosen one brand sees the others.
    """
    without = {"category": replace(filters, categories=()), "brand": replace(filters, brands=())}
    fields = {
        "category": (collection.category_N, collection.categories),
        "brand": (collection.brand_N, collection.brands),
    }
    return {
        name: _counted(code_N[found_N & mask(collection, without[name])], labels)
        for name, (code_N, labels) in fields.items()
    }


def _counted(code_K: Int[np.ndarray, " K"], labels: Labels) -> dict[str, int]:
    count_L = np.bincount(code_K[code_K >= 0], minlength=len(labels.names))
    order = np.argsort(-count_L, kind="stable")[:MOST_LABELS]
    return {labels.names[code]: int(count_L[code]) for code in order.tolist() if count_L[code]}
