"""Training the demand network: an ensemble of which each member leaves another part of the stores out.

Their mean forecasts better than any of them. How far they differ says how sure a figure is (delete-a-group jackknife;
Kott 2001, Journal of Official Statistics 17).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import scipy.stats
from jax import Array
from jaxtyping import Float, Int

from model.errors import DataError
from model.pricing.forecast import network
from model.pricing.forecast.features import Rows
from model.pricing.forecast.network import Params
from model.pricing.forecast.panel import COUNT

_FURTHEST = 6.0  # standard deviations of a context column
_FURTHEST_ERROR = 3.0


@dataclass(frozen=True)
class TrainingConfig:
    """How the ensemble is trained; `epochs` go through every row once, at one horizon drawn for it."""

    members: int = 4
    width: int = 96
    epochs: int = 16
    rate: float = 2e-3
    decay: float = 1e-3
    batch: int = 1024
    most_rows: int = 400_000
    share_of_units: float = 0.5


def interval(values_M: Float[np.ndarray, " M"]) -> tuple[float, float, float]:
    """Return mean, low and high (80 %) of a figure that each member gives, by the jackknife."""
    count = len(values_M)
    mean = float(values_M.mean())
    spread = float(np.sqrt((count - 1) / count * ((values_M - mean) ** 2).sum()))
    wide = float(scipy.stats.t.ppf(0.9, max(count - 1, 1))) * spread
    return mean, mean - wide, mean + wide


class Examples(NamedTuple):
    """What is learned from or predicted: rows ("B") with standardised context."""

    context_BxF: Float[np.ndarray, "B F"]
    item_B: Int[np.ndarray, " B"]
    price_B: Float[np.ndarray, " B"]
    level_B: Float[np.ndarray, " B"]


@dataclass(frozen=True)
class Ensemble:
    """Trained members, and how their input is standardised."""

    members: tuple[Params, ...]
    mean_F: Float[np.ndarray, " F"]
    spread_F: Float[np.ndarray, " F"]
    level: float

    def examples(self, rows: Rows, where: np.ndarray) -> Examples:
        """Return the rows where the mask ("S I W") is True."""
        return _examples(rows, where, self.mean_F, self.spread_F, self.level)

    def units(self, examples: Examples, *, log_price_change: float = 0.0) -> Float[np.ndarray, "M B"]:
        """Return what each member expects at the price, or at one changed by so much in logs."""
        if not len(examples.item_B):
            return np.zeros((len(self.members), 0))
        return np.stack([_predicted(member, examples, log_price_change) for member in self.members])


def fit(
    horizons: list[Rows],
    units_SxIxW: Float[np.ndarray, "S I W"],
    where: np.ndarray,
    config: TrainingConfig,
    *,
    seed: int,
) -> Ensemble:
    """Return an ensemble trained on the cells of the mask `where` ("S I W"), at all horizons.

    Raises DataError for a mask without cells.
    """
    if not where.any():
        raise DataError("there is nothing to learn from: no week before the origin has units and a price")
    where = _sampled(where, config.most_rows, seed)
    ensemble = _unfitted(horizons[-1], where)
    data = [ensemble.examples(rows, where) for rows in horizons]
    stacked = Examples(*(np.stack(columns) for columns in zip(*data, strict=True)))
    units_B = units_SxIxW[where]
    # The same for all members.
    learnt = jax.device_put((*stacked, np.log(units_B + COUNT).astype(np.float32)))
    columns, items = stacked.context_BxF.shape[-1], where.shape[1]
    members = []
    for n in range(config.members):
        params = network.initial(columns, items, width=config.width, seed=seed * 100 + n)
        weight_B = _weights(where, units_B, n, config.members)
        members.append(_trained(params, learnt, weight_B, config, seed=seed * 100 + n))
    return Ensemble(tuple(members), ensemble.mean_F, ensemble.spread_F, ensemble.level)


def _sampled(where: np.ndarray, most: int, seed: int) -> np.ndarray:
    count = int(where.sum())
    if count <= most:
        return where
    return where & (np.random.default_rng(seed).random(where.shape) < most / count)


def _unfitted(rows: Rows, where: np.ndarray) -> Ensemble:
    context = rows.context_SxIxWxF[where]
    known = ~np.isnan(context)
    count = np.maximum(known.sum(0), 1)
    mean_F = np.where(known, context, 0.0).sum(0) / count
    spread_F = np.sqrt((np.where(known, context - mean_F, 0.0) ** 2).sum(0) / count)
    levels = rows.level_SxIxW[where]
    level = float(np.nanmean(levels)) if (~np.isnan(levels)).any() else 0.0
    return Ensemble((), mean_F, np.where(spread_F > 1e-6, spread_F, 1.0), level)


def _examples(rows: Rows, where: np.ndarray, mean_F: np.ndarray, spread_F: np.ndarray, level: float) -> Examples:
    context = (rows.context_SxIxWxF[where] - mean_F) / spread_F
    context = np.clip(np.nan_to_num(context), -_FURTHEST, _FURTHEST).astype(np.float32)
    levels = rows.level_SxIxW[where]
    item_B = np.nonzero(where)[1].astype(np.int32)
    return Examples(context, item_B, rows.price_SxIxW[where], np.where(np.isnan(levels), level, levels))


def _weights(where: np.ndarray, units_B: np.ndarray, member: int, members: int) -> Float[np.ndarray, "B 2"]:
    """Return for each row whether the member learns it, scaled to a mean of 1, and its share of units."""
    store_B, item_B, week_B = np.nonzero(where)
    few = len(np.unique(store_B)) < 2 * members
    group_B = (store_B + (17 * item_B + week_B // 4 if few else 0)) % members
    learnt_B = (group_B != member).astype(np.float64) if members > 1 else np.ones(len(store_B))
    return np.stack([learnt_B / learnt_B.mean(), units_B / max(units_B.mean(), 1e-9)], axis=1).astype(np.float32)


def _trained(
    params: Params,
    learnt: tuple[Array, ...],
    weight_B: np.ndarray,
    config: TrainingConfig,
    *,
    seed: int,
) -> Params:
    """Return the parameters after all epochs. `learnt` are columns by horizon and row ("H B"), and log units ("B")."""
    random = np.random.default_rng(seed)
    horizons, count = learnt[1].shape
    batch = min(config.batch, count)
    steps = count // batch
    transform = _transform(config.decay)
    whole = config.epochs * steps
    rates = (0.5 * config.rate * (1.0 + np.cos(np.pi * np.arange(whole) / whole))).astype(np.float32)
    state = transform.init(params)
    data = (*learnt, jax.device_put(weight_B))
    for epoch in range(config.epochs):
        order = random.permutation(count)[: steps * batch].reshape(steps, batch)
        horizon = random.integers(horizons, size=order.shape)
        key = jax.random.fold_in(jax.random.key(seed), epoch)
        part = rates[epoch * steps : (epoch + 1) * steps]
        params, state = _epoch(transform, params, state, data, (order, horizon, part), key, config.share_of_units)
    return params


@cache
def _transform(decay: float) -> optax.GradientTransformation:
    """AdamW without its learning rate: one object, so that one program is compiled for all members."""
    return optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(decay))


@partial(jax.jit, static_argnames=("transform", "share"), donate_argnames=("params", "state"))
def _epoch(
    transform: optax.GradientTransformation, params: Params, state: Any, data: Any, order: Any, key: Array, share: float
) -> tuple[Params, Any]:
    context, item, price, level, logs_B, weight_B = data

    def step(carry: Any, at: Any) -> tuple[Any, None]:
        params, state, key = carry
        rows, horizon, rate = at
        key, dropout = jax.random.split(key)
        examples = Examples(context[horizon, rows], item[horizon, rows], price[horizon, rows], level[horizon, rows])
        gradient = jax.grad(_loss)(params, examples, logs_B[rows], weight_B[rows], dropout, share)
        # Optax raises a float to an integer step count, which strict promotion refuses.
        with jax.numpy_dtype_promotion("standard"):
            updates, state = transform.update(gradient, state, params)
        moved = jax.tree.map(lambda leaf, update: leaf - rate * update, params, updates)
        return (moved, state, key), None

    return jax.lax.scan(step, (params, state, key), order)[0][:2]


def _loss(params: Params, examples: Examples, logs_B: Array, weight_Bx2: Array, dropout: Array, share: float) -> Array:
    """Return a mean of the relative and the absolute error, the latter in means of all units."""
    context, item, price, level = examples
    error_B = level + network.log_ratio(params, context, item, price, dropout=dropout) - logs_B
    units_B = weight_Bx2[:, 1] * jnp.abs(jnp.expm1(jnp.clip(error_B, -_FURTHEST_ERROR, _FURTHEST_ERROR)))
    return (weight_Bx2[:, 0] * ((1.0 - share) * jnp.abs(error_B) + share * units_B)).mean()


def _predicted(member: Params, examples: Examples, log_price_change: float) -> np.ndarray:
    context, item, price, level = (jnp.asarray(column) for column in examples)
    return np.asarray(jnp.exp(level + _log_ratio(member, context, item, price + log_price_change)))


_log_ratio = jax.jit(network.log_ratio)
