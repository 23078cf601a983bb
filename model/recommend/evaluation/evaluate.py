"""Evaluate rankings on held-out baskets: the same figures for a network, a table, or anything that ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from model import metrics
from model.batching import pad_lists, pad_rows, power_of_two, tiles
from model.recommend import blend, network, packing
from model.recommend.blend import Blend, Recent, Tables
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.items import ItemFeatures
from model.recommend.neighbours import Neighbours
from model.recommend.serving import search
from model.recommend.split import Holdout
from model.recommend.transitions import NOTHING, Transitions

# Scores at once, 64 MiB, which limits the users scored at once to 8..256.
_SCORES = 2**24
# Items embedded at once: with about thirty table rows each, half a gigabyte at 64 dimensions.
_EMBEDDED = 2**16


def evaluate_holdout(
    ranked: Sequence[Sequence[int]], truth: Sequence[np.ndarray], *, catalogue: int, ks: Sequence[int] = (10,)
) -> dict[str, float]:
    """Means over cases of HR@k, NDCG@k, MRR@k, precision@k and recall@k, and the catalogue's coverage@k, for each k.

    `catalogue` is the number of items to cover. `ranked[s]` are dense item ids, best first, at least as many as the
    largest k if the catalogue has them; `truth[s]` the held-out ones. Cases without any true item are left out. Raises
    ValueError if none is left.
    """
    cases = _judged(truth)
    if not cases:
        raise ValueError("no held-out case has a true item; are there users with at least three baskets?")
    hits_BxK, relevant_B = _hits(ranked, truth, cases, max(ks))
    figures = {}
    for k in ks:
        shown = np.concatenate([np.asarray(ranked[s][:k], np.int64) for s in cases])
        figures |= {
            f"hit_rate@{k}": float(metrics.hit_rate(hits_BxK, k).mean()),
            f"ndcg@{k}": float(metrics.ndcg(hits_BxK, k, relevant_B).mean()),
            f"mrr@{k}": float(metrics.mrr(hits_BxK, k).mean()),
            f"precision@{k}": float(metrics.precision(hits_BxK, k).mean()),
            f"recall@{k}": float(metrics.recall(hits_BxK, k, relevant_B).mean()),
            f"coverage@{k}": metrics.coverage(shown, catalogue),
        }
    return figures | {"cases": float(len(cases))}


def ndcg_of_cases(
    ranked: Sequence[Sequence[int]], truth: Sequence[np.ndarray], *, k: int = 10
) -> Float[np.ndarray, " C"]:
    """NDCG@k of each case that has a true item; `ranked` and `truth` as for `evaluate_holdout`."""
    hits_CxK, relevant_C = _hits(ranked, truth, _judged(truth), k)
    return metrics.ndcg(hits_CxK, k, relevant_C)


def _judged(truth: Sequence[np.ndarray]) -> list[int]:
    """The cases that have a true item."""
    return [s for s, true_items in enumerate(truth) if len(true_items)]


def _hits(
    ranked: Sequence[Sequence[int]], truth: Sequence[np.ndarray], cases: Sequence[int], k: int
) -> tuple[Bool[np.ndarray, "C K"], Int[np.ndarray, " C"]]:
    """Which of the first `k` items of each case are true, and how many true ones it has."""
    kept = [np.asarray(ranked[s])[:k].tolist() for s in cases]
    found = metrics.hits(kept, [truth[s].tolist() for s in cases], k)
    return found, np.array([len(truth[s]) for s in cases], np.int64)


def seen(events: Interactions, holdout: Holdout) -> list[np.ndarray]:
    """The distinct items of each case's whole history."""
    spans = zip(holdout.start_S, holdout.end_S, strict=True)
    return [np.unique(events.items_E[start:end]) for start, end in spans]


def excluded(events: Interactions, holdout: Holdout, config: RecommendConfig) -> list[np.ndarray]:
    """The items that must not be ranked for each case: those of its history, or none without `config.filter_seen`."""
    return seen(events, holdout) if config.filter_seen else [np.zeros(0, np.int32)] * len(holdout.truth)


def unseen_truth(truth: Sequence[np.ndarray], seen_items: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Each case's true items that are not in its history."""
    return [np.setdiff1d(true, old) for true, old in zip(truth, seen_items, strict=True)]


@dataclass(frozen=True)
class Scorer:
    """Everything that scores held-out cases: the network's parameters, the items, and the other parts of the score.

    `faded_N` is recent popularity at the end of the events that it knows (`recency_popularity.py`).
    """

    config: RecommendConfig
    params: network.Params
    features: ItemFeatures
    blend: Blend
    transitions: Transitions
    neighbours: Neighbours
    faded_N: Float[np.ndarray, " N"]

    @property
    def tables(self) -> Tables:
        """What the events of a history point to."""
        return Tables(self.transitions, self.neighbours)

    def with_params(self, params: network.Params) -> Scorer:
        """The same with other parameters of the network."""
        return replace(self, params=params)

    def timeless(self) -> Scorer:
        """The same without recent popularity: for cases of other times."""
        return replace(self, faded_N=np.zeros_like(self.faded_N))


def rank_holdout(
    scorer: Scorer,
    events: Interactions,
    holdout: Holdout,
    *,
    excluded: Sequence[np.ndarray],
    k: int = 10,
    open_N: Bool[np.ndarray, " N"] | None = None,
) -> Int[np.ndarray, "S K"]:
    """`ranked_SxK`: for each case the best `k` of all items but the excluded, by final score without re-ranking.

    With `open_N`, only the items where it is True are ranked.
    """
    items_NxD = embed_all(scorer.params, scorer.features, scorer.config)
    users_SxD = encode_holdout(scorer.params, items_NxD, events, holdout, scorer.config)
    recent = blend.recent_of_holdout(events, holdout, scorer.config)
    ranked_SxK = np.zeros((len(users_SxD), k), np.int32)
    width = power_of_two(max((len(old) for old in excluded), default=1))
    batch = max(8, min(256, _SCORES // len(items_NxD)))
    tables = jax.device_put(scorer.tables)
    open_N = np.ones(len(items_NxD), bool) if open_N is None else open_N
    for tile in tiles(len(users_SxD), batch):
        best = _best(
            scorer.blend,
            tables,
            pad_rows(users_SxD[tile], batch),
            Recent(*(pad_rows(column[tile], batch) for column in recent)),
            items_NxD,
            scorer.faded_N,
            open_N,
            pad_lists(excluded[tile], rows=batch, width=width, fill=NOTHING, dtype=np.int32),
            k=k,
        )
        ranked_SxK[tile] = np.asarray(best)[: tile.stop - tile.start]
    return ranked_SxK


def full_scores(scorer: Scorer, events: Interactions, holdout: Holdout) -> Iterator[Float[np.ndarray, " N"]]:
    """For each case the final score of every item; slow for large catalogues."""
    items_NxD = embed_all(scorer.params, scorer.features, scorer.config)
    users_SxD = encode_holdout(scorer.params, items_NxD, events, holdout, scorer.config)
    recent = blend.recent_of_holdout(events, holdout, scorer.config)
    batch = max(8, min(256, _SCORES // len(items_NxD)))
    tables = jax.device_put(scorer.tables)
    for tile in tiles(len(users_SxD), batch):
        part = Recent(*(pad_rows(column[tile], batch) for column in recent))
        scores = _scores(scorer.blend, tables, pad_rows(users_SxD[tile], batch), items_NxD, part, scorer.faded_N)
        yield from np.asarray(scores)[: tile.stop - tile.start]


def embed_all(params: network.Params, features: ItemFeatures, config: RecommendConfig) -> Float[Array, "N D"]:
    """Every item's vector; large catalogues in tiles, since their words would not fit in memory at once."""
    count = len(features.rows_N)
    if count <= _EMBEDDED:
        return _embed(config, params, features)
    parts = [
        _embed(config, params, ItemFeatures(*(pad_rows(column[tile], _EMBEDDED) for column in features)))
        for tile in tiles(count, _EMBEDDED)
    ]
    return jnp.concatenate(parts)[:count]


def encode_holdout(
    params: network.Params, items_NxD: Array, events: Interactions, holdout: Holdout, config: RecommendConfig
) -> Float[np.ndarray, "S D"]:
    """Each case's user vector, from the last `config.history` events before the held-out basket."""
    start_S = np.maximum(holdout.start_S, holdout.end_S - config.history)
    packed = packing.pack(events, start_S, holdout.end_S, config, multiple=config.batch_rows)
    users_RxLxD = np.concatenate(
        [
            np.asarray(_encode(config, params, items_NxD, packing.Rows(*(column[tile] for column in packed.rows))))
            for tile in tiles(len(packed.rows.items_RxL), config.batch_rows)
        ]
    )
    return users_RxLxD[packed.row_S, packed.column_S]


def _embed_jit(config: RecommendConfig, params: network.Params, features: ItemFeatures) -> Array:
    return network.bind(config, params).items(features)


def _encode_jit(config: RecommendConfig, params: network.Params, items_NxD: Array, rows: packing.Rows) -> Array:
    return network.bind(config, params).histories(
        items_NxD[rows.items_RxL], rows.kinds_RxL, rows.seconds_RxL, rows.segments_RxL
    )


def _best_jit(
    learned: Blend,
    tables: Tables,
    users_BxD: Array,
    recent: Recent,
    items_NxD: Array,
    faded_N: Array,
    open_N: Array,
    excluded_BxX: Array,
    *,
    k: int,
) -> Array:
    return search.best(learned, tables, users_BxD, recent, items_NxD, faded_N, open_N, excluded_BxX, k=k)[1]


_embed = jax.jit(_embed_jit, static_argnums=0)
_encode = jax.jit(_encode_jit, static_argnums=0)
_scores = jax.jit(blend.scores)
_best = jax.jit(_best_jit, static_argnames="k")
