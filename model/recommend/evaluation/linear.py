"""A baseline: a linear item-item model in closed form over whole histories (EASE, Steck 2019, WWW).

Scores are w - w P / diag(P), with P = (X'X + ridge)^-1, X the users by items that they touched, and w a history's
items, each halved for every `half_life` events after it. The inverse is taken over users or items, whichever are fewer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Bool, Float
from scipy import sparse

from model.batching import tiles
from model.recommend.evaluation import baselines, evaluate
from model.recommend.events import Interactions
from model.recommend.split import Holdout

MOST_INVERTED = 5_000
"""The most users, or else items, that the baseline is taken of: seconds and a few hundred megabytes."""

MOST_ITEMS = 20_000
"""The largest catalogue that the baseline is taken of."""

RIDGES = (20.0, 100.0, 500.0)
HALF_LIVES = (3.0, 10.0, np.inf)

# Cases scored and items computed at once, and cases that choose the ridge and the half-life.
_BATCH, _COLUMNS, _CHOOSING = 256, 2_048, 2_000


class Linear(NamedTuple):
    """A fitted model. `inverse` is over users where `users_items` is given, else over items."""

    inverse: Float[np.ndarray, "M M"]
    diagonal_N: Float[np.ndarray, " N"]
    ridge: float
    users_items: sparse.csr_array | None


def is_possible(events: Interactions, mask_E: Bool[np.ndarray, " E"], catalogue: int) -> bool:
    """Whether the users of the events, or the items of the catalogue, are few enough."""
    users = len(np.unique(events.users_E[mask_E]))
    return catalogue <= MOST_ITEMS and 0 < min(users, catalogue) <= MOST_INVERTED


def fit(events: Interactions, mask_E: Bool[np.ndarray, " E"], catalogue: int, *, ridge: float) -> Linear:
    """The model of the events where `mask_E` is True."""
    users_E = np.unique(events.users_E[mask_E], return_inverse=True)[1]
    shape = (int(users_E.max()) + 1, catalogue)
    touched = sparse.csr_array((np.ones(len(users_E)), (users_E, events.items_E[mask_E])), shape=shape)
    touched.data[:] = 1.0
    if shape[0] > catalogue:
        inverse = _inverse(touched.T @ touched, ridge)
        return Linear(inverse, np.diag(inverse).copy(), ridge, None)
    inverse = _inverse(touched @ touched.T, ridge)
    by_item = touched.tocsc()
    parts = (by_item[:, tile] for tile in tiles(catalogue, _COLUMNS))
    covered_N = np.concatenate([part.multiply(inverse @ part).sum(0) for part in parts])
    return Linear(inverse, (1.0 - covered_N) / ridge, ridge, touched)


def chosen(
    events: Interactions,
    mask_E: Bool[np.ndarray, " E"],
    validation: Holdout,
    excluded: Sequence[np.ndarray],
    catalogue: int,
) -> tuple[float, float]:
    """The ridge and the half-life of `RIDGES` and `HALF_LIVES` with the best NDCG@10 on the validation cases.

    `mask_E` is False at what is to be predicted; `excluded` are the items not to be ranked for each case.
    """
    truth = evaluate.unseen_truth(validation.truth, excluded)
    cases = [s for s, true in enumerate(truth) if len(true)][:_CHOOSING]
    if not cases:
        return RIDGES[1], HALF_LIVES[1]
    old, true = [excluded[s] for s in cases], [truth[s] for s in cases]
    part = Holdout(validation.start_S[cases], validation.end_S[cases], true)

    def found(ridge: float, half_life: float) -> float:
        ranked = np.stack(rank(models[ridge], events, part, old, half_life=half_life, k=min(10, catalogue)))
        return float(evaluate.ndcg_of_cases(ranked, true).mean())

    models = {ridge: fit(events, mask_E, catalogue, ridge=ridge) for ridge in RIDGES}
    return max(itertools.product(RIDGES, HALF_LIVES), key=lambda pair: found(*pair))


def rank(
    model: Linear, events: Interactions, holdout: Holdout, excluded: Sequence[np.ndarray], *, half_life: float, k: int
) -> list[np.ndarray]:
    """For each case the best `k` items that are not excluded."""
    cases = zip(scores(model, events, holdout, half_life=half_life), excluded, strict=True)
    return [baselines.head(scores_N, old, k) for scores_N, old in cases]


def scores(
    model: Linear, events: Interactions, holdout: Holdout, *, half_life: float
) -> Iterator[Float[np.ndarray, " N"]]:
    """For each case the score of every item."""
    for tile in tiles(len(holdout.truth), _BATCH):
        part = Holdout(holdout.start_S[tile], holdout.end_S[tile], holdout.truth[tile])
        weights = _histories(events, part, len(model.diagonal_N), half_life)
        yield from weights.toarray() - _times_inverse(model, weights) / model.diagonal_N


def _times_inverse(model: Linear, weights: sparse.csr_array) -> Float[np.ndarray, "B N"]:
    if model.users_items is None:
        return np.asarray(weights @ model.inverse)
    through_BxU = (weights @ model.users_items.T).toarray() @ model.inverse
    return np.asarray((weights.toarray() - through_BxU @ model.users_items) / model.ridge)


def _histories(events: Interactions, holdout: Holdout, catalogue: int, half_life: float) -> sparse.csr_array:
    """The items of each case's history, each with the weight of its newest event."""
    made = sparse.lil_array((len(holdout.truth), catalogue))
    for case, (start, end) in enumerate(zip(holdout.start_S, holdout.end_S, strict=True)):
        newest, first = np.unique(events.items_E[start:end][::-1], return_index=True)
        made[case, newest] = 0.5 ** (first / half_life)
    return made.tocsr()


def _inverse(gram: sparse.csr_array, ridge: float) -> Float[np.ndarray, "M M"]:
    dense = gram.toarray()
    np.fill_diagonal(dense, dense.diagonal() + ridge)
    return np.asarray(scipy.linalg.inv(dense, overwrite_a=True, assume_a="pos"))
