"""How good a ranking is: NDCG@10 and recall@10, for all searches and for each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from benchmarks.search.zh.shop import Searches
from model import metrics

_K = 10


def ranked(scores_N: Float[np.ndarray, " N"], k: int = _K) -> list[int]:
    """The `k` best, best first, ties in the order of the catalogue; products with a score of 0 or less are left out."""
    order_N = np.argsort(-scores_N, kind="stable")[:k]
    return [int(n) for n in order_N if scores_N[n] > 0]


def ndcg(found: Sequence[str], relevance: Mapping[str, int]) -> float:
    """NDCG@10, gain = relevance - 1; a product without a judgement has no gain."""
    gains_1xK = np.array([[relevance.get(product_id, 1) - 1 for product_id in found[:_K]]], np.float64)
    return float(metrics.graded_ndcg(gains_1xK, [[grade - 1 for grade in relevance.values()]], _K)[0])


def recall(found: Sequence[str], relevance: Mapping[str, int]) -> float:
    """The share of the products of relevance 3 that are among the first 10."""
    wanted = {product_id for product_id, grade in relevance.items() if grade == 3}
    return len(wanted & set(found[:_K])) / len(wanted)


def compute(searches: Searches, scores_QxN: Float[np.ndarray, "Q N"]) -> dict[str, dict[str, float]]:
    """For "all", and for each kind: how many searches, and the mean NDCG@10 and recall@10 of them."""
    ids = [product.product_id for product in searches.products]
    rows: dict[str, list[tuple[float, float]]] = {"all": []}
    for query, scores_N in zip(searches.queries, scores_QxN, strict=True):
        found = [ids[n] for n in ranked(scores_N)]
        judged = searches.relevance[query.text]
        for group in ("all", query.kind):
            rows.setdefault(group, []).append((ndcg(found, judged), recall(found, judged)))
    return {group: _means(pairs) for group, pairs in rows.items()}


def _means(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    ndcgs, recalls = np.mean(pairs, axis=0).round(4).tolist()
    return {"queries": len(pairs), "ndcg@10": ndcgs, "recall@10": recalls}
