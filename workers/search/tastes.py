"""Tastes: what a shopper looked at lately, by brand and price, and by the recommender's vectors of items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float32, Int
from sqlalchemy import Connection

from model.search.index.collection import Collection
from model.search.ranking import personalisation
from model.search.ranking.features import Affinity
from storage.events import histories
from storage.events.histories import History
from storage.recommend import item_vectors
from storage.registry import models

LENGTH = 20
"""Events of a history that count."""
_HALF_LIFE = 5.0
_COSINE_WEIGHT = np.float32(1.0)
_KINDS = {
    "view": 1.0,
    "click": 1.0,
    "wishlist": 2.0,
    "add_to_cart": 3.0,
    "rating": 2.0,
    "purchase": 4.0,
    "dismiss": -2.0,
}

VectorsOf = Callable[[Sequence[str]], Float32[np.ndarray, "K D"]]
"""Returns the unit vectors of items by their ids: zeros for an item without one; D is 0 if no item has one."""


class Vectors:
    """Unit vectors of items by the live recommender, kept once read. For one thread at a time.

    An item without a vector is asked for again each time.
    """

    def __init__(self) -> None:
        self._version: str | None = None
        self._kept: dict[str, Float32[np.ndarray, " D"]] = {}

    def follow(self, connection: Connection) -> None:
        """Drop the vectors of a version that is no longer live."""
        live = models.live(connection)
        version = None if live is None else live.version
        if version != self._version:
            self._version, self._kept = version, {}

    def read(self, connection: Connection, item_ids: Sequence[str]) -> Float32[np.ndarray, "K D"]:
        """Return the vectors of the items, in the form of `VectorsOf`."""
        missing = [item_id for item_id in item_ids if item_id not in self._kept]
        if missing and self._version is not None:
            for item_id, sent in item_vectors.read(connection, self._version, missing).items():
                vector_D = np.frombuffer(sent, ">f4").astype(np.float32)
                self._kept[item_id] = vector_D / max(float(np.linalg.norm(vector_D)), 1e-6)
        return stacked(self._kept, item_ids)


def stacked(vectors: Mapping[str, Float32[np.ndarray, " D"]], item_ids: Sequence[str]) -> Float32[np.ndarray, "K D"]:
    """Return the vectors of the items, in the form of `VectorsOf`."""
    nothing_D = np.zeros(len(next(iter(vectors.values()), ())), np.float32)
    found = [vectors.get(item_id, nothing_D) for item_id in item_ids]
    return np.array(found, np.float32).reshape(len(found), len(nothing_D))


def read(connection: Connection, shoppers: Sequence[str]) -> dict[str, History]:
    """Return the last events of each of the shoppers."""
    return histories.read(connection, shoppers, length=LENGTH, policy="show_all")


def affinity(vectors_of: VectorsOf, history: History, collection: Collection) -> Affinity | None:
    """Return a function that says how much the shopper likes each of some items; None if the taste is unknown.

    It adds how well brand and price fit what the shopper met (`model.search.ranking.personalisation`), and the weighted
    cosine of the item and of the mean of what was met. It calls `vectors_of` when it is called.
    """
    met = dict.fromkeys(touch.item_id for touch in history.touches if _KINDS.get(touch.kind, 0.0) > 0)
    slots = [slot for item_id in met if (slot := collection.slot(item_id)) is not None]
    liked = personalisation.from_items(np.array(slots, int), collection) if slots else None
    cosines = _cosines(vectors_of, history)
    if liked is None and cosines is None:
        return None

    def score(slots_K: Int[np.ndarray, " K"]) -> Float32[np.ndarray, " K"]:
        affinity_K = np.zeros(len(slots_K), np.float32)
        if liked is not None:
            affinity_K += personalisation.liking(liked, slots_K, collection)
        if cosines is not None:
            affinity_K += _COSINE_WEIGHT * cosines([collection.items[slot].item_id for slot in slots_K])
        return affinity_K

    return score


def _cosines(vectors_of: VectorsOf, history: History) -> Callable[[Sequence[str]], Float32[np.ndarray, " K"]] | None:
    """Return the cosines of items with what the shopper met; an event counts half as much as the fifth after it.

    The cosine of an item without a vector is 0.
    """
    touches = [touch for touch in reversed(history.touches) if touch.item_id is not None]
    if not touches:
        return None
    kind_M = np.array([_KINDS.get(touch.kind, 0.0) for touch in touches])
    mean_D = (kind_M * 2 ** (-np.arange(len(touches)) / _HALF_LIFE)) @ vectors_of([touch.item_id for touch in touches])
    length = float(np.linalg.norm(mean_D))
    if length < 1e-6:
        return None
    mean_D = (mean_D / length).astype(np.float32)
    return lambda item_ids: vectors_of(item_ids) @ mean_D
