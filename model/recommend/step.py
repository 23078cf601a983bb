"""One training step, and an epoch of them as one compiled scan over data that stays on the device."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from model.recommend import layers, loss
from model.recommend.config import RecommendConfig
from model.recommend.items import ItemFeatures
from model.recommend.packing import Rows


class TrainState(NamedTuple):
    """Everything that a step changes."""

    params: dict[str, Array]
    optimizer: optax.OptState


class Catalogue(NamedTuple):
    """What a step reads about the items: their features, and the distribution that negatives are drawn from."""

    features: ItemFeatures
    drawn_T: Int[Array, " T"]  # the item of each training event: drawing one draws by popularity
    trained_S: Int[Array, " S"]  # the distinct items among them: drawing one draws uniformly
    log_rate_N: Float[Array, " N"]  # log of the probability of each item under half of each draw


@functools.cache
def optimizer(config: RecommendConfig, steps: int) -> optax.GradientTransformation:
    """AdamW (Loshchilov and Hutter 2019) with clipped gradients, a short warm-up and a cosine decay to a
    tenth. The same arguments give the same object, so that a second training compiles nothing.
    """
    warmup = max(1, min(200, steps // 20))
    rate = optax.warmup_cosine_decay_schedule(
        0.1 * config.learning_rate,
        config.learning_rate,
        warmup,
        max(steps, warmup + 1),
        0.1 * config.learning_rate,
    )
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, b2=0.98, weight_decay=config.weight_decay))


def catalogue(features: ItemFeatures, targets_T: np.ndarray) -> Catalogue:
    """The device's view of the items; `targets_T` are the items of all training events (dense ids)."""
    popularity_N = np.bincount(targets_T, minlength=len(features.rows_N)) / max(len(targets_T), 1)
    trained_S = np.flatnonzero(popularity_N).astype(np.int32)
    rate_N = 0.5 * popularity_N + 0.5 * (popularity_N > 0) / max(len(trained_S), 1)
    log_rate_N = np.log(np.maximum(rate_N, 1e-12)).astype(np.float32)
    return jax.device_put(Catalogue(features, targets_T.astype(np.int32), trained_S, log_rate_N))


def batch_loss(
    config: RecommendConfig, params: layers.Params, items: Catalogue, rows: Rows, *, key: Array
) -> Float[Array, ""]:
    """The mean loss of predicting each cell's next item in a batch of packed rows."""
    hide_key, drop_key, draw_key = jax.random.split(key, 3)
    model = layers.bind(config, params)
    hidden_N = jax.random.bernoulli(hide_key, config.id_dropout, items.features.rows_N.shape)
    full = config.negatives == 0

    def vectors(dense_M: Array) -> Array:
        return model.items(ItemFeatures(*(column[dense_M] for column in items.features)), hide_ids=hidden_N[dense_M])

    shape = rows.items_RxL.shape
    catalogue_NxD = model.items(items.features, hide_ids=hidden_N) if full else None
    flat = catalogue_NxD[rows.items_RxL.reshape(-1)] if full else vectors(rows.items_RxL.reshape(-1))
    cells_RxLxD = flat.reshape(*shape, config.dim)
    users_RxLxD = model.histories(cells_RxLxD, rows.kinds_RxL, rows.seconds_RxL, rows.segments_RxL, key=drop_key)
    users_MxD = users_RxLxD.reshape(-1, config.dim)
    targets_M = jnp.roll(rows.items_RxL, -1, 1).reshape(-1)
    if full:
        losses_M = loss.full_softmax(users_MxD, catalogue_NxD, targets_M)
    else:
        true_MxD = jnp.roll(cells_RxLxD, -1, 1).reshape(-1, config.dim)
        drawn_K = _draw(items, config.negatives, key=draw_key)
        log_rate_K = items.log_rate_N[drawn_K] + float(np.log(config.negatives))
        losses_M = loss.sampled_softmax(users_MxD, true_MxD, targets_M, vectors(drawn_K), drawn_K, log_rate_K)
    return loss.weighted_mean(losses_M, rows.weights_RxL.reshape(-1))


def train_step(
    config: RecommendConfig,
    transform: optax.GradientTransformation,
    state: TrainState,
    items: Catalogue,
    rows: Rows,
    *,
    key: Array,
) -> tuple[TrainState, dict[str, Array]]:
    """The state after one step on a batch, with its loss and gradient norm."""
    value, gradients = jax.value_and_grad(lambda params: batch_loss(config, params, items, rows, key=key))(state.params)
    # Optax raises a float to an integer step count, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"):
        updates, optimizer_state = transform.update(gradients, state.optimizer, state.params)
    norm = jnp.sqrt(sum(jnp.vdot(gradient, gradient) for gradient in gradients.values()))
    state = TrainState(optax.apply_updates(state.params, updates), optimizer_state)
    return state, {"loss": value, "gradient_norm": norm}


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def epoch(
    config: RecommendConfig,
    transform: optax.GradientTransformation,
    state: TrainState,
    items: Catalogue,
    rows: Rows,
    order_SxB: Int[Array, "S B"],
    key: Array,
) -> tuple[TrainState, Float[Array, " S"]]:
    """The state after one step for each row of `order_SxB`, which names the packed rows of a batch; and the losses."""

    def step(state: TrainState, turn: tuple[Array, Array]) -> tuple[TrainState, Array]:
        rows_B, step_key = turn
        state, report = train_step(config, transform, state, items, Rows(*(c[rows_B] for c in rows)), key=step_key)
        return state, report["loss"]

    return jax.lax.scan(step, state, (order_SxB, jax.random.split(key, order_SxB.shape[0])))


def _draw(items: Catalogue, count: int, *, key: Array) -> Int[Array, " K"]:
    popular_key, uniform_key = jax.random.split(key)
    popular = jax.random.randint(popular_key, (count - count // 2,), 0, items.drawn_T.shape[0])
    uniform = jax.random.randint(uniform_key, (count // 2,), 0, items.trained_S.shape[0])
    return jnp.concatenate([items.drawn_T[popular], items.trained_S[uniform]])
