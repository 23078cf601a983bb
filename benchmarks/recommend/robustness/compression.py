"""The item matrix in float32 and in int8: what a ranking loses, and what is saved.

Each way also encodes the histories from its own vectors: the other matrix need not be kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Int

from benchmarks.recommend.retrieval import quantised
from benchmarks.recommend.retrieval.quantised import Quantised
from benchmarks.recommend.robustness import models
from model.batching import pad_lists, pad_rows, power_of_two, tiles
from model.recommend import blend
from model.recommend.blend import Blend, Recent, Tables
from model.recommend.evaluation import evaluate
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.serving import search
from model.recommend.split import Split
from model.recommend.transitions import NOTHING

_TILE = 128
_ROUNDS = 3
# Items that the scan of int8 products selects; those of the history are then left out.
_CANDIDATES = 128
# The scan is for catalogues from this size on; a smaller one is padded with empty rows, which cost nothing.
_SCANNED_FROM = 32_768

_HOW = {
    "float32": "exact, all scores",
    "int8": "a scale per row; the vectors are made from it in every call, then as float32",
    "int8_scan": f"products in int8 find {_CANDIDATES} candidates, which are scored with the vectors of int8;"
    f" the catalogue is filled up to {_SCANNED_FROM} rows if it has fewer",
}

# From a tile's users, recent events and excluded items to its best items.
Best = Callable[[Array, Recent, Array], Array]


@dataclass(frozen=True)
class Way:
    """One way to keep the items' vectors, and to rank with them."""

    name: str
    vectors_NxD: Array  # as they are read: what the histories are encoded from
    bytes_per_item: int
    best: Best


def measured(scorer: Scorer, parts: Split) -> dict[str, dict[str, Any]]:
    """Figures on the test cases, memory and time of every way; the losses are relative to float32."""
    results: dict[str, dict[str, Any]] = {}
    exact_SxK = None
    for way in _ways(scorer):
        ranked_SxK, seconds = _ranked(way, scorer, parts)
        exact_SxK = ranked_SxK if exact_SxK is None else exact_SxK
        figures = models.figures(ranked_SxK, parts, scorer)
        best = results.get("float32", figures)["ndcg@10"]
        results[way.name] = figures | {
            "how": _HOW[way.name],
            "ndcg@10_loss": round(best - figures["ndcg@10"], 5),
            "ndcg@10_loss_percent": round(100 * (1 - figures["ndcg@10"] / max(best, 1e-9)), 2),
            "overlap@10": models.overlap(exact_SxK, ranked_SxK),
            "bytes_per_item": way.bytes_per_item,
            "seconds_per_1000_users": round(1000 * seconds / max(len(ranked_SxK), 1), 4),
        }
    return results


def _ways(scorer: Scorer) -> Iterator[Way]:
    learned, tables = scorer.blend, jax.device_put(scorer.tables)
    exact_NxD = evaluate.embed_all(scorer.params, scorer.features, scorer.config)
    small = jax.jit(quantised.quantise)(exact_NxD)
    read_NxD = quantised.dequantise(small)
    wide = Quantised(*(_widened(column) for column in small))
    open_C = jnp.arange(len(wide.scales_C)) < len(exact_NxD)
    width = 4 * exact_NxD.shape[1]
    yield Way("float32", exact_NxD, width, _bound(_by_float32, learned, tables, exact_NxD))
    yield Way("int8", read_NxD, _row_bytes(small), _bound(_by_int8, learned, tables, small))
    yield Way("int8_scan", read_NxD, _row_bytes(small), _bound(_by_scan, learned, tables, wide, open_C))


def _ranked(way: Way, scorer: Scorer, parts: Split) -> tuple[Int[np.ndarray, "S K"], float]:
    """The best items of every test case, and the seconds of the best round, without encoding."""
    users_SxD = evaluate.encode_holdout(scorer.params, way.vectors_NxD, parts.events, parts.test, scorer.config)
    recent = blend.recent_of_holdout(parts.events, parts.test, scorer.config)
    old = models.excluded(parts, scorer.config)
    width = power_of_two(max((len(items) for items in old), default=1))

    def tile_of(part: slice) -> tuple[Array, Recent, Array]:
        excluded_BxX = pad_lists(old[part], rows=_TILE, width=width, fill=NOTHING, dtype=np.int32)
        recent_B = Recent(*(pad_rows(column[part], _TILE) for column in recent))
        return jax.device_put((pad_rows(users_SxD[part], _TILE), recent_B, excluded_BxX))

    inputs = [tile_of(part) for part in tiles(len(users_SxD), _TILE)]
    jax.block_until_ready(way.best(*inputs[0]))
    seconds, found = [], []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        found = jax.block_until_ready([way.best(*tile) for tile in inputs])
        seconds.append(time.perf_counter() - started)
    return np.concatenate([np.asarray(best) for best in found])[: len(users_SxD)], min(seconds)


def _bound(function: Callable[..., Array], *catalogue: Any) -> Best:
    compiled = jax.jit(function)
    return lambda users, recent, excluded: compiled(users, recent, excluded, *catalogue)


def _by_float32(
    users_BxD: Array, recent: Recent, excluded_BxX: Array, learned: Blend, tables: Tables, vectors_NxD: Array
) -> Int[Array, "B K"]:
    faded_N, open_N = jnp.zeros(len(vectors_NxD)), jnp.ones(len(vectors_NxD), bool)
    return search.best(learned, tables, users_BxD, recent, vectors_NxD, faded_N, open_N, excluded_BxX, k=models.DEPTH)[
        1
    ]


def _by_int8(
    users_BxD: Array, recent: Recent, excluded_BxX: Array, learned: Blend, tables: Tables, small: Quantised
) -> Int[Array, "B K"]:
    return _by_float32(users_BxD, recent, excluded_BxX, learned, tables, quantised.dequantise(small))


def _by_scan(
    users_BxD: Array,
    recent: Recent,
    excluded_BxX: Array,
    learned: Blend,
    tables: Tables,
    small: Quantised,
    open_C: Array,
) -> Int[Array, "B K"]:
    """The best by final score among the best of `quantised.top_k` and the items voted for."""
    scanned_BxJ = quantised.top_k(users_BxD, small, open_C, _CANDIDATES)[1]
    voted_BxM = jnp.concatenate(
        [
            blend.votes(learned, tables.transitions, recent).items_BxM,
            blend.near_by(learned, tables.neighbours, recent).items_BxM,
        ],
        1,
    )
    items_BxJ = jnp.sort(jnp.concatenate([scanned_BxJ, voted_BxM], 1), 1)
    again_BxJ = jnp.pad(items_BxJ[:, 1:] == items_BxJ[:, :-1], ((0, 0), (1, 0)))
    old_BxJ = (items_BxJ[:, :, None] == excluded_BxX[:, None, :]).any(-1)
    shown_BxJ = open_C.at[items_BxJ].get(mode="fill", fill_value=False) & ~again_BxJ & ~old_BxJ
    vectors_CxD = quantised.dequantise(small)
    scores_BxJ = search.at(learned, tables, users_BxD, recent, vectors_CxD, jnp.zeros(len(vectors_CxD)), items_BxJ)
    best_BxK = lax.top_k(jnp.where(shown_BxJ, scores_BxJ, -jnp.inf), models.DEPTH)[1]
    return jnp.take_along_axis(items_BxJ, best_BxK, 1)


def _widened(column: Array) -> Array:
    missing = max(_SCANNED_FROM - len(column), 0)
    return jnp.pad(column, [(0, missing)] + [(0, 0)] * (column.ndim - 1))


def _row_bytes(small: Quantised) -> int:
    return sum(column.nbytes // len(column) for column in small)
