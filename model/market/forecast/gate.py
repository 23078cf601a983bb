"""The network that weighs the experts: for each series and week ahead, shares of them and a bounded correction.

It learns from all series of all levels at once, at origins whose weeks ahead are known. Its loss is what the forecasts
are judged by: absolute errors, and root mean squared errors by series, each in the series' own scale and weighted by
its share of what its level sold.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jaxtyping import Float

Params = dict[str, Array]
WIDTH = 32
STEPS = 400
BATCH = 4096
RATE = 3e-3
DECAY = 1e-2
_CORRECTION = 0.25
_LEAST = 1e-6
_NEVER = -1e9


class Examples(NamedTuple):
    """What is learned from: a row ("B") is a series at an origin. Units are in the series' scale.

    `weight` is how much a row counts.
    """

    forecasts_BxHxK: Float[np.ndarray, "B H K"]
    features_BxF: Float[np.ndarray, "B F"]
    actual_BxH: Float[np.ndarray, "B H"]
    weight_B: Float[np.ndarray, " B"]


def initial(features: int, horizon: int, experts: int, *, seed: int) -> Params:
    """Return weights before training: all experts count the same."""
    key = jax.random.key(seed)
    return {
        "in": jax.random.normal(key, (features, WIDTH), jnp.float32) / np.float32(np.sqrt(features)),
        "in_bias": jnp.zeros(WIDTH, jnp.float32),
        "out": jnp.zeros((WIDTH, experts), jnp.float32),
        "out_bias": jnp.zeros((horizon, experts), jnp.float32),
        "sums": jnp.zeros(experts, jnp.float32),
        "move": jnp.zeros((WIDTH, horizon), jnp.float32),
    }


def predict(params: Params, forecasts_BxHxK: Array, features_BxF: Array) -> Array:
    """Return forecasts of shape BxH. The last feature is 1 for an item, 0 for a sum of items.

    Sums are few: one set of shares is learned for all of them, without corrections, and nothing (the first expert, 0)
    is none of theirs.
    """
    is_item_Bx1 = features_BxF[:, -1:]
    hidden = jax.nn.gelu(features_BxF @ params["in"] + params["in_bias"][None]) * is_item_Bx1
    sums = jnp.where(jnp.arange(forecasts_BxHxK.shape[-1]) == 0, _NEVER, params["sums"])
    logits = (hidden @ params["out"])[:, None, :] + params["out_bias"][None]
    logits = jnp.where(is_item_Bx1[:, :, None] > 0, logits, sums[None, None])
    mixed = (jax.nn.softmax(logits, axis=-1) * forecasts_BxHxK).sum(-1)
    moved: Array = mixed * jnp.exp(_CORRECTION * jnp.tanh(hidden @ params["move"]))
    return moved


def fit(examples: Examples, *, seed: int) -> Params:
    """Return the weights after training on the examples, drawn in proportion to their weight and at random."""
    rows, horizon, experts = examples.forecasts_BxHxK.shape
    params = initial(examples.features_BxF.shape[1], horizon, experts, seed=seed)
    weight_B = examples.weight_B.astype(np.float64)
    share_B = 0.5 * weight_B / max(weight_B.sum(), _LEAST) + 0.5 / rows
    random = np.random.default_rng(seed)
    batch = min(BATCH, rows)
    order = random.choice(rows, (STEPS, batch), p=share_B)
    # Drawn more often, counted less.
    counted_B = (weight_B / share_B / max(weight_B.sum(), _LEAST)).astype(np.float32)
    data = jax.device_put(tuple(np.asarray(column, np.float32) for column in (*examples[:3], counted_B)))
    return _trained(params, data, jnp.asarray(order))


@partial(jax.jit)
def _trained(params: Params, data: Any, order: Array) -> Params:
    transform = optax.adamw(optax.cosine_decay_schedule(RATE, STEPS), weight_decay=DECAY)

    def step(carry: Any, rows: Array) -> tuple[Any, None]:
        params, state = carry
        gradient = jax.grad(_loss)(params, *(column[rows] for column in data))
        # Optax raises a float to an integer step count, which strict promotion refuses.
        with jax.numpy_dtype_promotion("standard"):
            updates, state = transform.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), None

    with jax.numpy_dtype_promotion("standard"):
        state = transform.init(params)
    return jax.lax.scan(step, (params, state), order)[0][0]


def _loss(params: Params, forecasts: Array, features: Array, actual: Array, weight: Array) -> Array:
    error = predict(params, forecasts, features) - actual
    root = jnp.sqrt((error**2).mean(-1) + _LEAST)
    return (weight * (jnp.abs(error).mean(-1) + 2.0 * root)).mean()


predicted = jax.jit(predict)
