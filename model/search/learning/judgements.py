"""Queries with judged items: splits, figures of rankings, and queries with a typing error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model import metrics
from model.errors import DataError

DEPTH = 100
"""Length of the rankings that count."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Judged:
    """`relevance[q]` maps items to their relevance for `queries[q]`.

    The gain of an item is its relevance above `least`; an item without a judgement has none. Items of at least
    `relevant` have to be found.
    """

    queries: tuple[str, ...]
    relevance: tuple[Mapping[int, float], ...]
    least: float = 1.0
    relevant: float = 2.33

    def gains(self, query: int) -> dict[int, float]:
        """The gain of each judged item."""
        return {item: max(grade - self.least, 0.0) for item, grade in self.relevance[query].items()}

    def pick(self, chosen: Sequence[int]) -> Judged:
        """Only the chosen queries."""
        queries, relevance = (tuple(column[q] for q in chosen) for column in (self.queries, self.relevance))
        return Judged(queries, relevance, self.least, self.relevant)  # type: ignore[arg-type]

    def respelt(self, queries: Sequence[str]) -> Judged:
        """The same judgements for queries spelt differently."""
        return Judged(tuple(queries), self.relevance, self.least, self.relevant)


def split(judged: Judged, share: float, *, seed: int) -> tuple[Judged, Judged]:
    """A random `share` of the queries, and the others; a query is in one of the two with all its judgements.

    Raises DataError if one of the two would be empty.
    """
    order = np.random.default_rng(seed).permutation(len(judged.queries))
    cut = len(order) - round(len(order) * share)
    if not 0 < cut < len(order):
        raise DataError(f"{len(order)} queries cannot be split by {share}: one part would be empty")
    return judged.pick(order[cut:].tolist()), judged.pick(order[:cut].tolist())


def figures(judged: Judged, ranked: Sequence[Sequence[int]]) -> dict[str, float]:
    """NDCG@10, recall@100 and MRR of rankings, best first, aligned with the queries; and the number of queries.

    NDCG is the mean over queries with a gain; recall and MRR (1 / rank of the first relevant item within 100) over
    queries with a relevant item. NaN if there is no such query.
    """
    gains = [judged.gains(query) for query in range(len(judged.queries))]
    gains_BxK = np.zeros((len(gains), 10))
    for row, (items, of_item) in enumerate(zip(ranked, gains, strict=True)):
        found = [of_item.get(int(item), 0.0) for item in items[:10]]
        gains_BxK[row, : len(found)] = found
    ndcg_B = metrics.graded_ndcg(gains_BxK, [list(of_item.values()) for of_item in gains], 10)
    truth = [{item for item, grade in grades.items() if grade >= judged.relevant} for grades in judged.relevance]
    asked = [q for q, items in enumerate(truth) if items]
    hits_BxK = metrics.hits([[int(i) for i in ranked[q]] for q in asked], [truth[q] for q in asked], DEPTH)
    wanted_B = np.array([len(truth[q]) for q in asked])
    return {
        "ndcg@10": _mean(ndcg_B[np.isfinite(ndcg_B)]),
        "recall@10": _mean(metrics.recall(hits_BxK, 10, wanted_B)),
        "recall@100": _mean(metrics.recall(hits_BxK, DEPTH, wanted_B)),
        "mrr": _mean(metrics.mrr(hits_BxK, DEPTH)),
        "queries": float(len(judged.queries)),
    }


def misspelt(queries: Sequence[str], *, seed: int) -> list[str]:
    """Each query with one random edit of a letter or digit: inserted, deleted, replaced, or swapped with the next.

    New letters are from a to z; a query without letters and digits stays the same.
    """
    chance = np.random.default_rng(seed)
    return [_edited(query, chance) for query in queries]


def _edited(query: str, chance: np.random.Generator) -> str:
    places = [place for place, character in enumerate(query) if character.isalnum()]
    if not places:
        return query
    place = int(chance.choice(places))
    letter = _LETTERS[int(chance.integers(len(_LETTERS)))]
    before, at, behind = query[:place], query[place], query[place + 1 :]
    swapped = behind[0] + at + behind[1:] if behind and behind[0].isalnum() and behind[0] != at else letter + behind
    changes = (letter + at + behind, behind, letter + behind, swapped)
    return before + changes[int(chance.integers(len(changes)))]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
