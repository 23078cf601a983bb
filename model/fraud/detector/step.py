"""Training the network: all its copies at once, as compiled scans over data that stays on the device."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Int

from model.fraud.config import FraudConfig
from model.fraud.detector import network
from model.fraud.detector.network import Groups


class Examples(NamedTuple):
    """The training data, on the device."""

    features_NxF: Float[Array, "N F"]
    frauds_N: Float[Array, " N"]  # 1 for a fraud, else 0
    weights_N: Float[Array, " N"]


class TrainState(NamedTuple):
    """Everything that a step changes; the first axis of each array is the copies."""

    params: dict[str, Array]
    optimizer: optax.OptState


@functools.cache
def optimizer(config: FraudConfig) -> optax.GradientTransformation:
    """AdamW (Loshchilov and Hutter 2019) with a learning rate of 1: each step multiplies by its own."""
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(),
        optax.add_decayed_weights(config.weight_decay, mask=lambda params: {n: p.ndim > 0 for n, p in params.items()}),
    )


def losses(config: FraudConfig, logits_B: Float[Array, " B"], frauds_B: Float[Array, " B"]) -> Float[Array, " B"]:
    """Binary cross-entropy; under "focal" times (1 - probability of the truth)^gamma (Lin et al. 2017, ICCV)."""
    entropy_B = optax.sigmoid_binary_cross_entropy(logits_B, frauds_B)
    if config.imbalance != "focal":
        return entropy_B
    return entropy_B * (1.0 - jnp.exp(-entropy_B)) ** config.focal_gamma


def rates(config: FraudConfig, count: int) -> Float32[np.ndarray, " S"]:
    """The learning rates of all steps: a short warm-up, then a cosine decay to zero."""
    steps_S = np.arange(count, dtype=np.float32)
    warm_S = np.minimum((steps_S + 1) / max(count // 20, 1), 1.0)
    return (config.learning_rate * warm_S * 0.5 * (1.0 + np.cos(np.pi * steps_S / count))).astype(np.float32)


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def steps(
    config: FraudConfig,
    groups: Groups,
    state: TrainState,
    examples: Examples,
    edges_FxK: Float[Array, "F K"],
    order_SxCxB: Int[Array, "S C B"],
    rates_S: Float[Array, " S"],
    key: Array,
) -> tuple[TrainState, Float[Array, "S C"]]:
    """The state after one step of every copy C for each of its own S batches, and the losses."""
    transform = optimizer(config)

    def loss(params: network.Params, rows_B: Array, copy_key: Array) -> Array:
        logits_B = network.logits(config, groups, params, edges_FxK, examples.features_NxF[rows_B], key=copy_key)
        weights_B = examples.weights_N[rows_B]
        return (weights_B * losses(config, logits_B, examples.frauds_N[rows_B])).sum() / weights_B.sum()

    def one(state: TrainState, rows_B: Array, rate: Array, copy_key: Array) -> tuple[TrainState, Array]:
        value, gradients = jax.value_and_grad(loss)(state.params, rows_B, copy_key)
        # Optax raises a float to an integer step count, which strict promotion refuses.
        with jax.numpy_dtype_promotion("standard"):
            updates, moments = transform.update(gradients, state.optimizer, state.params)
        updates = {name: -rate * update for name, update in updates.items()}
        return TrainState(optax.apply_updates(state.params, updates), moments), value

    def step(state: TrainState, turn: tuple[Array, Array, Array]) -> tuple[TrainState, Array]:
        rows_CxB, rate, step_key = turn
        keys_C = jax.random.split(step_key, rows_CxB.shape[0])
        return jax.vmap(one, in_axes=(0, 0, None, 0))(state, rows_CxB, rate, keys_C)

    return jax.lax.scan(step, state, (order_SxCxB, rates_S, jax.random.split(key, order_SxCxB.shape[0])))


@functools.partial(jax.jit, static_argnums=(0, 1))
def scores(
    config: FraudConfig,
    groups: Groups,
    params: network.Params,
    edges_FxK: Float[Array, "F K"],
    features_BxF: Float[Array, "B F"],
) -> Float[Array, " B"]:
    """The mean logit of all copies."""

    def logits(own: network.Params) -> Array:
        return network.logits(config, groups, own, edges_FxK, features_BxF)

    return jax.vmap(logits)(dict(params)).mean(0)
