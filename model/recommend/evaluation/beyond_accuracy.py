"""Metrics beyond accuracy: the AUC over all items, novelty, and diversity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int

from model import metrics
from model.recommend.items import ItemFeatures


def roc_auc(
    scores: Iterable[Float[np.ndarray, " N"]], truth: Sequence[np.ndarray], excluded: Sequence[np.ndarray]
) -> float:
    """The mean over true items of P(its score > another's) + P(tie) / 2, all items but the excluded competing.

    Cases without a true item are left out; nan if none is left.
    """
    areas, weights = [], []
    for scores_N, true, old in zip(scores, truth, excluded, strict=True):
        true_N, compete_N = np.zeros(len(scores_N), bool), np.ones(len(scores_N), bool)
        true_N[true], compete_N[old] = True, False
        labels_M = true_N[compete_N | true_N]
        if labels_M.any() and not labels_M.all():
            areas.append(metrics.roc_auc(labels_M, scores_N[compete_N | true_N]))
            weights.append(len(true))
    return float(np.average(areas, weights=weights)) if areas else float("nan")


def novelty(ranked: Sequence[np.ndarray], counts_N: Float[np.ndarray, " N"], *, k: int = 10) -> float:
    """The mean of -log2(share of events on the item) over the first k of all lists, in bits.

    Castells et al. 2011 (DiveRS). An item without events counts as one with a single event.
    """
    shown = np.concatenate([np.asarray(row[:k], np.int64) for row in ranked])
    return float(-np.log2(np.maximum(counts_N[shown], 1.0) / max(counts_N.sum(), 1.0)).mean())


def diversity(ranked: Sequence[np.ndarray], features: ItemFeatures, *, k: int = 10) -> float:
    """The mean over lists of 1 - the mean Jaccard similarity of pairs of their first k items; nan without pairs.

    The intra-list distance of Ziegler et al. 2005 (WWW), on categories, brands and attributes; on words if the
    catalogue has none of these.
    """
    labels_NxA = np.concatenate([features.labels_NxF, features.attributes_NxA], 1)
    if not labels_NxA.any():
        labels_NxA = features.text_NxT
    lists = [np.asarray(row[:k], np.int64) for row in ranked if len(row) >= 2]
    return float(np.mean([_distance(labels_NxA[row]) for row in lists])) if lists else float("nan")


def _distance(labels_KxA: Int[np.ndarray, "K A"]) -> float:
    there_KxA = labels_KxA > 0
    same_KxAxKxA = labels_KxA[:, :, None, None] == labels_KxA[None, None, :, :]
    both_KxK = (same_KxAxKxA & there_KxA[:, :, None, None]).any(3).sum(1)
    sizes_K = there_KxA.sum(1)
    either_KxK = np.maximum(sizes_K[:, None] + sizes_K[None, :] - both_KxK, 1)
    pairs = np.triu_indices(len(labels_KxA), 1)
    return float(1.0 - (both_KxK / either_KxK)[pairs].mean())
