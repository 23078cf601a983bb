"""The ranker: boosted trees that learn the order of candidates, evaluated by one compiled function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import lightgbm
import numpy as np
from jaxtyping import Array, Float, Float32, Int, Int32

from model.batching import pad_rows, power_of_two
from model.search.config import SearchConfig
from model.search.ranking import features

_LEAST = 64
_LEVELS = 12
"""Steps that a label's gain is rounded to: LightGBM needs whole numbers."""


class Examples(NamedTuple):
    """One query's candidates."""

    features_KxF: Float32[np.ndarray, "K F"]
    gain_K: Float32[np.ndarray, " K"]


class Trees(NamedTuple):
    """All nodes of all trees in one array. A leaf points to itself; `root_T` is where each tree starts."""

    feature_V: Int32[np.ndarray, " V"]
    threshold_V: Float32[np.ndarray, " V"]
    left_V: Int32[np.ndarray, " V"]
    right_V: Int32[np.ndarray, " V"]
    value_V: Float32[np.ndarray, " V"]
    root_T: Int32[np.ndarray, " T"]


class TreeRanker:
    """Trees with the depth that a walk through them needs."""

    def __init__(self, trees: Trees, depth: int) -> None:
        self.trees = Trees(*(jnp.asarray(column) for column in trees))
        self.depth = depth

    def score(self, features_KxF: Float32[np.ndarray, "K F"]) -> Float32[np.ndarray, " K"]:
        """One score per candidate; compiled for powers of two from 64 on."""
        rows = power_of_two(len(features_KxF), least=_LEAST)
        scores = _walk(self.trees, pad_rows(features_KxF, rows), depth=self.depth)
        return np.asarray(scores)[: len(features_KxF)]

    def warm(self, config: SearchConfig) -> None:
        """Compile for every possible number of candidates."""
        rows, most = _LEAST, config.candidates + 2 * config.likest
        while rows < 2 * most:
            self.score(np.zeros((rows, len(features.NAMES)), np.float32))
            rows *= 2


def train(examples: Sequence[Examples], config: SearchConfig, *, seed: int = 0) -> TreeRanker:
    """Trees boosted for NDCG@10 on the examples (LambdaMART; Burges 2010, "From RankNet to LambdaRank to LambdaMART").

    Bagged over `config.rankers` seeds, whose trees are summed.
    """
    greatest = max(float(example.gain_K.max()) for example in examples)
    labels_P = np.concatenate([np.rint(e.gain_K / greatest * _LEVELS) for e in examples]).astype(int)
    data = lightgbm.Dataset(
        np.concatenate([e.features_KxF for e in examples]),
        labels_P,
        group=[len(e.gain_K) for e in examples],
        feature_name=list(features.NAMES),
        free_raw_data=False,
    )
    boosters = [lightgbm.train(_options(config, seed + n), data, config.trees) for n in range(config.rankers)]
    return from_boosters(boosters)


def from_boosters(boosters: Sequence[lightgbm.Booster]) -> TreeRanker:
    """The sum of the boosters' trees."""
    table: list[tuple[int, float, int, int, float]] = []
    roots, depths = [], [0]
    for booster in boosters:
        for tree in booster.dump_model()["tree_info"]:
            roots.append(len(table))
            depths.append(_flatten(tree["tree_structure"], table))
    feature, threshold, left, right, value = (np.array(column) for column in zip(*table, strict=True))
    trees = Trees(
        feature.astype(np.int32),
        _downward(threshold),
        left.astype(np.int32),
        right.astype(np.int32),
        value.astype(np.float32),
        np.array(roots, np.int32),
    )
    return TreeRanker(trees, max(depths))


def _options(config: SearchConfig, seed: int) -> dict[str, Any]:
    return {
        "objective": "lambdarank",
        "label_gain": [float(level) for level in range(_LEVELS + 1)],
        "lambdarank_truncation_level": config.truncation,
        "learning_rate": config.ranker_rate,
        "num_leaves": config.leaves,
        "max_depth": config.depth,
        "min_data_in_leaf": config.least_in_leaf,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 10.0,
        "max_bin": 127,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": config.threads,
        "verbosity": -1,
    }


def _flatten(node: dict[str, Any], table: list[tuple[int, float, int, int, float]]) -> int:
    """Append a subtree and return its depth."""
    here = len(table)
    if "split_feature" not in node:
        table.append((0, np.inf, here, here, float(node["leaf_value"])))
        return 0
    table.append((0, 0.0, 0, 0, 0.0))
    left = len(table)
    depth = _flatten(node["left_child"], table)
    right = len(table)
    depth = max(depth, _flatten(node["right_child"], table))
    table[here] = (int(node["split_feature"]), float(node["threshold"]), left, right, 0.0)
    return depth + 1


def _downward(threshold_V: Float[np.ndarray, " V"]) -> Float32[np.ndarray, " V"]:
    """The greatest float32 not above each threshold: then comparisons with float32 features stay the same."""
    nearest_V = threshold_V.astype(np.float32)
    lower_V = np.nextafter(nearest_V, np.float32(-np.inf))
    return np.where(nearest_V > threshold_V, lower_V, nearest_V)


def _walk_trees(trees: Trees, features_KxF: Float[Array, "K F"], *, depth: int) -> Float[Array, " K"]:
    rows_Kx1 = jnp.arange(features_KxF.shape[0])[:, None]
    start_KxT = jnp.broadcast_to(trees.root_T[None], (features_KxF.shape[0], len(trees.root_T)))

    def step(_: int, node_KxT: Int[Array, "K T"]) -> Int[Array, "K T"]:
        seen_KxT = features_KxF[rows_Kx1, trees.feature_V[node_KxT]]
        return jnp.where(seen_KxT <= trees.threshold_V[node_KxT], trees.left_V[node_KxT], trees.right_V[node_KxT])

    node_KxT = jax.lax.fori_loop(0, depth, step, start_KxT)
    return trees.value_V[node_KxT].sum(1)


_walk = jax.jit(_walk_trees, static_argnames="depth")
