"""Fitting the network: copies with different seeds at once, each with its own order of the data."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float64, Int32

from model import batching
from model.fraud.config import FraudConfig
from model.fraud.detector import encoding, network, step
from model.fraud.detector.network import Groups

_TILE = 4096
# Steps in one compiled scan: every training, however long, is a number of such scans.
_STEPS = 64
_LEAST_TILE = 16


class Fitted(NamedTuple):
    """A trained network. The first axis of all `params` is the copies."""

    groups: Groups
    edges_FxK: np.ndarray
    params: dict[str, np.ndarray]


def drawn(config: FraudConfig, frauds_N: Bool[np.ndarray, " N"], rng: np.random.Generator) -> np.ndarray:
    """The rows of an epoch, shuffled; under "resample" frauds come `positive_weight` times as often."""
    rows = np.arange(len(frauds_N))
    if config.imbalance == "resample":
        extra = round((config.positive_weight - 1) * frauds_N.sum())
        rows = np.append(rows, rng.choice(np.flatnonzero(frauds_N), max(extra, 0)))
    return rng.permutation(rows)


def weights(config: FraudConfig, frauds_N: Bool[np.ndarray, " N"]) -> Float64[np.ndarray, " N"]:
    """The weight of each order: `positive_weight` for a fraud under "weight", else 1."""
    return np.where(frauds_N & (config.imbalance == "weight"), config.positive_weight, 1.0)


def fit(
    features_NxF: Float64[np.ndarray, "N F"],
    frauds_N: Bool[np.ndarray, " N"],
    weights_N: Float64[np.ndarray, " N"],
    groups: Groups,
    config: FraudConfig,
    *,
    seed: int,
    start: Fitted | None = None,
) -> Fitted:
    """Train from scratch, or continue from `start` with its edges."""
    if start is None:
        edges_FxK = encoding.edges(features_NxF, frauds_N, quantiles=config.quantiles, splits=config.splits)
    else:
        edges_FxK = start.edges_FxK
    if start is None:
        rate = float(np.clip(np.average(frauds_N, weights=weights_N), 1e-4, 0.5))
        params = _fresh(config, groups, edges_FxK.shape[1], rate, seed)
    else:
        params = start.params
    columns = (features_NxF, frauds_N, weights_N)
    # No step reads the padding rows: with them, trainings of about the same size share a compiled program.
    room = batching.roomy(len(frauds_N))
    examples = step.Examples(*(batching.pad_rows(column.astype(np.float32), room) for column in columns))
    params = _trained(params, jax.device_put(examples), frauds_N, edges_FxK, groups, config, seed)
    return Fitted(groups, edges_FxK, params)


def _fresh(config: FraudConfig, groups: Groups, codes: int, rate: float, seed: int) -> dict[str, np.ndarray]:
    copies = [
        network.initial(config, groups, codes, rate=rate, seed=1000 * seed + copy) for copy in range(config.copies)
    ]
    return {name: np.stack([np.asarray(one[name]) for one in copies]) for name in copies[0]}


def _trained(
    params: dict[str, np.ndarray],
    examples: step.Examples,
    frauds_N: np.ndarray,
    edges_FxK: np.ndarray,
    groups: Groups,
    config: FraudConfig,
    seed: int,
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    order_SxCxB = _order(config, frauds_N, rng)
    rates_S = step.rates(config, len(order_SxCxB))
    placed = jax.device_put(params)
    state = step.TrainState(placed, jax.vmap(step.optimizer(config).init)(placed))
    for number, part in enumerate(batching.tiles(len(order_SxCxB), _STEPS)):
        key = jax.random.fold_in(jax.random.key(seed), number)
        # Steps with rate 0 pad the last part.
        turns_SxCxB = batching.pad_rows(order_SxCxB[part], _STEPS)
        state, _ = step.steps(
            config, groups, state, examples, edges_FxK, turns_SxCxB, batching.pad_rows(rates_S[part], _STEPS), key
        )
    return {name: np.asarray(value) for name, value in state.params.items()}


def _order(config: FraudConfig, frauds_N: np.ndarray, rng: np.random.Generator) -> Int32[np.ndarray, "S C B"]:
    """The rows of every batch of every copy, epoch after epoch; an epoch's incomplete last batch is left out."""
    size = min(config.batch, len(frauds_N))
    epochs = []
    for _ in range(config.epochs):
        copies = [drawn(config, frauds_N, rng) for _ in range(config.copies)]
        kept = len(copies[0]) // size * size
        epochs.append(np.stack([rows[:kept].reshape(-1, size) for rows in copies], axis=1))
    return np.concatenate(epochs).astype(np.int32)


def logits(
    fitted: Fitted, features_NxF: Float64[np.ndarray, "N F"], config: FraudConfig, *, tile: int | None = None
) -> Float64[np.ndarray, " N"]:
    """The network's logits, in tiles of few shapes, so that serving compiles nothing new.

    With `tile` all tiles have that one shape: then a row's logit does not depend on how many rows came with it.
    """
    found = np.zeros(len(features_NxF))
    for rows in batching.tiles(len(features_NxF), tile or _TILE):
        part = features_NxF[rows].astype(np.float32)
        width = tile or batching.power_of_two(len(part), least=_LEAST_TILE)
        padded = batching.pad_rows(part, width)
        scored = step.scores(config, fitted.groups, fitted.params, fitted.edges_FxK, padded)
        found[rows] = np.asarray(scored)[: len(part)]
    return found
