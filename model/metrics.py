"""Ranking and classification metrics: each one's formula stands in its docstring.

Rankings are `hits_BxK`: True if the item ranked k-th is one of the user's true items. `relevant_B` is the number of
true items of each user (>= 1). Each ranking metric returns one float per user; take the mean.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int


def hits(ranked: Sequence[Sequence[object]], truth: Sequence[Collection[object]], k: int) -> Bool[np.ndarray, "B K"]:
    """`hits_BxK` (K = `k`) from lists of ranked ids and each user's true ids; short lists are padded with misses."""
    hits_BxK = np.zeros((len(ranked), k), bool)
    for row, (ids, true_ids) in enumerate(zip(ranked, truth, strict=True)):
        wanted = set(true_ids)
        for column, item in enumerate(ids[:k]):
            hits_BxK[row, column] = item in wanted
    return hits_BxK


def hit_rate(hits_BxK: Bool[np.ndarray, "B K"], k: int) -> Float[np.ndarray, " B"]:
    """1 if any of the first k is true, else 0 (HR@k; Deshpande and Karypis 2004, TOIS 22(1))."""
    return hits_BxK[:, :k].any(1).astype(np.float64)


def ndcg(
    hits_BxK: Bool[np.ndarray, "B K"], k: int, relevant_B: Int[np.ndarray, " B"] | None = None
) -> Float[np.ndarray, " B"]:
    """DCG / ideal DCG, DCG = sum over hits of 1 / log2(rank + 1), ranks from 1 (Järvelin and Kekäläinen 2002).

    The ideal has min(k, relevant) hits on top. Without `relevant_B` each user has one true item.
    """
    discounts_K = 1.0 / np.log2(np.arange(2, k + 2))
    relevant = np.ones(len(hits_BxK), np.int64) if relevant_B is None else np.asarray(relevant_B)
    ideal_K = np.cumsum(discounts_K)
    kept_BxK = hits_BxK[:, :k]
    return kept_BxK @ discounts_K[: kept_BxK.shape[1]] / ideal_K[np.minimum(relevant, k) - 1]


def mrr(hits_BxK: Bool[np.ndarray, "B K"], k: int) -> Float[np.ndarray, " B"]:
    """1 / rank of the first hit within k, 0 without one (Voorhees 1999, TREC-8)."""
    kept_BxK = hits_BxK[:, :k]
    return np.where(kept_BxK.any(1), 1.0 / (kept_BxK.argmax(1) + 1), 0.0)


def precision(hits_BxK: Bool[np.ndarray, "B K"], k: int) -> Float[np.ndarray, " B"]:
    """Hits within k, divided by k (Manning et al. 2008, Introduction to Information Retrieval, 8.4)."""
    return hits_BxK[:, :k].sum(1) / k


def recall(hits_BxK: Bool[np.ndarray, "B K"], k: int, relevant_B: Int[np.ndarray, " B"]) -> Float[np.ndarray, " B"]:
    """Hits within k, divided by the number of true items (Manning et al. 2008, 8.4)."""
    return hits_BxK[:, :k].sum(1) / np.asarray(relevant_B)


def coverage(ranked_BxK: Int[np.ndarray, "B K"], catalogue: int) -> float:
    """Distinct items in all rankings / items in the catalogue (Ge et al. 2010, RecSys); negative ids are padding."""
    shown = np.unique(ranked_BxK)
    return float((shown >= 0).sum() / catalogue)


def wape(actual: Float[np.ndarray, "*S"], expected: Float[np.ndarray, "*S"]) -> float:
    """Sum of absolute errors / sum of what was (Kolassa and Schütz 2007); huge where nothing was."""
    return float(np.abs(actual - expected).sum() / max(actual.sum(), 1e-9))


def roc_auc(labels_N: Bool[np.ndarray, " N"], scores_N: Float[np.ndarray, " N"]) -> float:
    """P(score of a positive > score of a negative) + P(tie) / 2, from ranks (Mann and Whitney 1947).

    Raises ValueError if there is no positive or no negative: the figure is then undefined.
    """
    # scikit-learn sorts thresholds for a curve that nobody draws: a tenth of the speed with 12,000 items.
    from scipy.stats import rankdata

    positives = int(np.count_nonzero(labels_N))
    negatives = len(labels_N) - positives
    if not (positives and negatives):
        raise ValueError(f"AUC needs both classes: {positives} positives, {negatives} negatives")
    ranks_N = rankdata(scores_N)
    return float(
        (ranks_N[np.asarray(labels_N, bool)].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    )


def average_precision(labels_N: Bool[np.ndarray, " N"], scores_N: Float[np.ndarray, " N"]) -> float:
    """Sum over thresholds of (recall gained) x (precision there); ties are one threshold (Zhu 2004).

    Raises ValueError without a positive.
    """
    from sklearn.metrics import average_precision_score

    if not np.any(labels_N):
        raise ValueError("average precision needs at least one positive")
    return float(average_precision_score(labels_N, scores_N))


def card_precision(
    day_N: Int[np.ndarray, " N"],
    card_N: Int[np.ndarray, " N"],
    labels_N: Bool[np.ndarray, " N"],
    scores_N: Float[np.ndarray, " N"],
    *,
    k: int,
) -> float:
    """The mean over days of: compromised cards among the k with the highest score that day / k.

    A card's score is the highest of its orders that day; a card that was found to be compromised is left out on later
    days (Le Borgne et al. 2022, Reproducible Machine Learning for Credit Card Fraud Detection, 4.4).
    """
    detected = np.zeros(0, card_N.dtype)
    found = []
    for day in np.unique(day_N):
        rows = np.flatnonzero((day_N == day) & ~np.isin(card_N, detected))
        ranked = rows[np.argsort(-scores_N[rows], kind="stable")]
        cards, first = np.unique(card_N[ranked], return_index=True)
        best = cards[np.argsort(first)][:k]
        hit = np.intersect1d(best, card_N[rows[labels_N[rows]]])
        detected = np.append(detected, hit)
        found.append(len(hit) / k)
    return float(np.mean(found))


def graded_ndcg(
    gains_BxK: Float[np.ndarray, "B K"], judged: Sequence[Sequence[float]], k: int
) -> Float[np.ndarray, " B"]:
    """DCG / ideal DCG with the gain itself as numerator, DCG = sum of gain / log2(rank + 1), ranks from 1.

    `gains_BxK` are the gains of the ranked items (0 for padding and for items without a judgement), `judged` each
    query's gains of all judged items, from which the ideal ranking is made. NaN for a query without a gain above 0.
    Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", TOIS 20(4).
    """
    discounts_K = 1.0 / np.log2(np.arange(2, k + 2))
    kept_BxK = gains_BxK[:, :k]
    dcg_B = kept_BxK @ discounts_K[: kept_BxK.shape[1]]
    best = [sorted(gains, reverse=True)[:k] for gains in judged]
    ideal_B = np.array([np.dot(gains, discounts_K[: len(gains)]) for gains in best], np.float64)
    return np.divide(dcg_B, ideal_B, out=np.full(len(best), np.nan), where=ideal_B > 0)
