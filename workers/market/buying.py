"""Who buys, and what together: pairs in baskets, customer segments, and cohorts."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import polars as pl

from model.market import baskets as counting
from model.market import segments as segmenting
from model.market import testing
from model.market.segments import Clusters
from storage.market.rows import Cohort, Pair, Segment
from workers.market.data import Market

MOST_PAIRS = 5_000
LEAST_CUSTOMERS = 5
"""Fewest customers of a segment or a cohort that is shown: a smaller one says too much about each."""

_NEAREST = 50
_NAMED = 3


def pairs(market: Market) -> list[Pair]:
    """Return the pairs that are bought together more often than by chance, those that are surest first."""
    found, titles = counting.associations(market.baskets), market.titles()
    columns = [column[:MOST_PAIRS].tolist() for column in found]
    return [
        Pair(first, titles.get(first, first), second, titles.get(second, second), *figures)
        for first_item, second_item, *figures in zip(*columns, strict=True)
        for first, second in [(market.basket_items[first_item], market.basket_items[second_item])]
    ]


def segments(market: Market, *, seed: int = 0) -> list[Segment]:
    """Return the segments by recency, frequency and money, and those by taste where the recommender has vectors."""
    return [*_by_recency(market), *_by_taste(market, seed)]


def _by_recency(market: Market) -> list[Segment]:
    numbers = {name: market.customers[name].to_numpy() for name in market.customers.columns}
    segment_C = segmenting.by_recency_frequency(numbers["days_since"], numbers["orders"], numbers["amount"])
    named = market.customers.with_columns(segment=pl.Series(segment_C, dtype=pl.Int64))
    whole, money = market.customers.height, float(numbers["amount"].sum())
    found = []
    for number, name in enumerate(segmenting.NAMES):
        members = named.filter(segment=number)
        if members.height >= LEAST_CUSTOMERS:
            medians = (float(np.median(members[column])) for column in ("orders", "amount", "days_since"))
            share = float(members["amount"].to_numpy().sum()) / money if money else 0.0
            description = segmenting.DESCRIPTIONS[name]
            found.append(Segment("rfm", name, description, members.height, members.height / whole, share, *medians))
    return found


def _by_taste(market: Market, seed: int) -> list[Segment]:
    if not market.vectors:
        return []
    clusters = segmenting.by_vectors(market.tastes_CxD, seed=seed)
    if clusters is None:
        return []
    sizes = np.bincount(clusters.cluster_C, minlength=len(clusters.centres_KxD))
    described = _described(market, clusters)
    order = [place for place in np.argsort(-sizes, kind="stable") if sizes[place] >= LEAST_CUSTOMERS]
    return [
        Segment("taste", f"taste {number}", described[k], int(sizes[k]), float(sizes[k] / sizes.sum()), *[None] * 4)
        for number, k in enumerate(order, 1)
    ]


def _described(market: Market, clusters: Clusters) -> list[str]:
    """Name each cluster by the categories, or else the titles, of the items that lie nearest to its centre."""
    titles, categories = market.titles(), market.categories()
    item_ids = list(market.vectors)
    vectors = np.stack([market.vectors[item_id] for item_id in item_ids])
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    nearest = np.argsort(-(clusters.centres_KxD @ vectors.T), axis=1, kind="stable")[:, :_NEAREST]
    found = []
    for row in nearest:
        near = [item_ids[place] for place in row]
        common = Counter(category for item_id in near if (category := categories.get(item_id)) is not None)
        words = [name for name, _ in common.most_common(_NAMED)] or [titles.get(one, one) for one in near[:_NAMED]]
        found.append("likes " + ", ".join(words))
    return found


def cohorts(market: Market) -> list[Cohort]:
    """Return, by month of the first order, how many customers bought so many months later."""
    active = {(cohort, age): count for cohort, age, count in market.cohorts.iter_rows()}
    sizes = {cohort: count for (cohort, age), count in active.items() if not age and count >= LEAST_CUSTOMERS}
    rows = [
        (cohort, age, size, active.get((cohort, age), 0))
        for cohort, size in sizes.items()
        for age in range(_months(cohort, market.through.date()))
    ]
    if not rows:
        return []
    low, high = testing.share_interval(np.array([row[3] for row in rows]), np.array([row[2] for row in rows]))
    ends = zip(rows, low.tolist(), high.tolist(), strict=True)
    return [Cohort(*row, row[3] / row[2], low, high) for row, low, high in ends]


def _months(first: date, last: date) -> int:
    """The months from the first one to before the last one, which is not over."""
    return (last.year - first.year) * 12 + last.month - first.month
