"""The demand network: free in its context, and falling in the own price by construction.

    log units = level + base(context, item) - sum_k slope_k(context, item) * ramp_k(log relative price)

Slopes are positive, and the ramps rise with the price: between two knots each is linear, so the curve of log demand is
piecewise linear, steeper where the data say so. An elasticity is the slope of its piece (a monotone network in the
manner of Sill 1998, NeurIPS 10, with one monotone input).
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

KNOTS = (-0.6, -0.4, -0.25, -0.12, 0.0, 0.12, 0.25)
"""Log relative prices. The first and the last piece go on without end."""
LEAST_SLOPE = 0.05

_EMBEDDED = 16
_FIRST_SLOPE = 1.5

Params = Mapping[str, Array]


def initial(context: int, items: int, *, width: int, seed: int) -> Params:
    """Return fresh parameters for `context` columns and so many items."""
    keys = jax.random.split(jax.random.key(seed), 5)

    def dense(key: Array, inputs: int, outputs: int, scale: float = 1.0) -> Array:
        return scale * jax.random.normal(key, (inputs, outputs)) * np.sqrt(2.0 / inputs)

    return {
        "item": 0.1 * jax.random.normal(keys[0], (items, _EMBEDDED)),
        "linear": jnp.zeros((context, 1)),
        "first": dense(keys[1], context + _EMBEDDED, width),
        "first bias": jnp.zeros(width),
        "second": dense(keys[2], width, width),
        "second bias": jnp.zeros(width),
        "base": dense(keys[3], width, 1, 0.1),
        "base bias": jnp.zeros(1),
        "slopes": dense(keys[4], width, len(KNOTS), 0.1),
        "slope bias": jnp.full((items, len(KNOTS)), _FIRST_SLOPE),
    }


def log_ratio(
    params: Params,
    context_BxF: Float[Array, "B F"],
    item_B: Int[Array, " B"],
    price_B: Float[Array, " B"],
    *,
    dropout: Array | None = None,
    rate: float = 0.1,
) -> Float[Array, " B"]:
    """Return log(units / level). `dropout` is the random key of a training step, None in prediction."""
    hidden = (
        jnp.concatenate([context_BxF, params["item"][item_B]], axis=1) @ params["first"] + params["first bias"][None]
    )
    hidden = jax.nn.gelu(hidden)
    if dropout is not None:
        kept = jax.random.bernoulli(dropout, 1.0 - rate, hidden.shape)
        hidden = jnp.where(kept, hidden / (1.0 - rate), 0.0)
    hidden = hidden + jax.nn.gelu(hidden @ params["second"] + params["second bias"][None])
    base_B = (context_BxF @ params["linear"] + hidden @ params["base"] + params["base bias"][None])[:, 0]
    slopes_BxK = LEAST_SLOPE + jax.nn.softplus(hidden @ params["slopes"] + params["slope bias"][item_B])
    return base_B - (slopes_BxK * _ramps(price_B)).sum(1)


def _ramps(price_B: Float[Array, " B"]) -> Float[Array, "B K"]:
    """Return how much of the way from the reference price lies in each piece; their sum is the log relative price."""
    knots = jnp.array(KNOTS)
    low = jnp.append(-jnp.inf, knots[1:])
    high = jnp.append(knots[1:], jnp.inf)
    return jnp.clip(price_B[:, None], low[None], high[None]) - jnp.clip(jnp.zeros_like(low), low, high)[None]
