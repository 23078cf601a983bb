"""Rehearsal: which older windows an incremental update replays, chosen item by item, so that it forgets little."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from model.recommend import recency_popularity
from model.recommend.events import Interactions


def exemplars(
    events: Interactions,
    start_S: Int[np.ndarray, " S"],
    end_S: Int[np.ndarray, " S"],
    *,
    budget: int,
    half_life: float,
    seed: int,
) -> Int[np.ndarray, " X"]:
    """The numbers of the windows `start_S[s]:end_S[s]` to replay, ascending: about `budget` events in all.

    Each item draws windows with one of its events at random; an event weighs half as much for each `half_life` (days)
    that it is older. So an item's newer events are more likely, and an item with four times the events is drawn twice
    as often. Exemplars by item are those of ADER (Mi, Lin and Faltings 2020, RecSys); whole windows make every event of
    a window worth its cost.
    """
    length_S = end_S - start_S
    if budget <= 0 or not length_S.sum():
        return np.zeros(0, np.int64)
    window_E = np.repeat(np.arange(len(start_S)), length_S)
    places_E = np.arange(len(window_E)) + np.repeat(start_S - (np.cumsum(length_S) - length_S), length_S)
    items_E, at_E = events.items_E[places_E], events.at_E[places_E]
    weight_E = np.maximum(recency_popularity.halved(at_E.max() - at_E, half_life), 1e-300)
    rate_E = weight_E / np.sqrt(np.bincount(items_E, weight_E)[items_E])
    # Exponential clocks with these rates: the first to ring are a sample without replacement (Efraimidis and Spirakis
    # 2006).
    rings_S = np.full(len(start_S), np.inf)
    np.minimum.at(rings_S, window_E, np.random.default_rng(seed).exponential(size=len(rate_E)) / rate_E)
    order_S = np.argsort(rings_S, kind="stable")
    spent_S = np.cumsum(length_S[order_S])
    return np.sort(order_S[: np.searchsorted(spent_S, budget) + 1])
