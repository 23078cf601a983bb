"""The network: piecewise-linear codes, one small head per group of features, combined by a noisy-or.

A stolen card, a skimming terminal and an impossible amount are independent causes, and one of them is enough. So each
group has its own logit, and an order is genuine only if all of them say so (Pearl 1988, noisy-or): a head needs no
examples of all combinations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from model.fraud.config import FraudConfig
from model.fraud.detector import encoding

Params = Mapping[str, Array]
Groups = tuple[tuple[int, ...], ...]

# Below this a head's probability counts as 0; its logarithm is still finite in float32.
_LEAST_LOGIT = -25.0


class Head(nnx.Module):
    """A group's logit: a linear part, which is additive in the features, and one hidden layer for the rest."""

    def __init__(self, config: FraudConfig, inputs: int, bias: float, *, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Param(jnp.zeros((inputs,)))
        self.bias = nnx.Param(jnp.asarray(bias))
        self.up = nnx.Param(jax.random.normal(rngs.params(), (inputs, config.hidden)) / math.sqrt(inputs))
        self.shift = nnx.Param(jnp.zeros((config.hidden,)))
        self.down = nnx.Param(jax.random.normal(rngs.params(), (config.hidden,)) / math.sqrt(config.hidden))
        self.dropout = config.dropout

    def __call__(self, codes_BxI: Float[Array, "B I"], *, key: Array | None) -> Float[Array, " B"]:
        hidden_BxH = jax.nn.relu(codes_BxI @ self.up[...] + self.shift[...][None])
        if key is not None and self.dropout:
            kept_BxH = jax.random.bernoulli(key, 1 - self.dropout, hidden_BxH.shape)
            hidden_BxH = jnp.where(kept_BxH, hidden_BxH / (1 - self.dropout), 0.0)
        return codes_BxI @ self.linear[...] + hidden_BxH @ self.down[...] + self.bias[...]


class Network(nnx.Module):
    """Features to a logit. `rate` is the share of frauds that it predicts before training."""

    def __init__(self, config: FraudConfig, groups: Groups, codes: int, *, rate: float, rngs: nnx.Rngs) -> None:
        bias = math.log(rate / len(groups))
        self.heads = nnx.List([Head(config, len(group) * codes, bias, rngs=rngs) for group in groups])
        self.groups = groups

    def __call__(self, codes_BxFxK: Float[Array, "B F K"], *, key: Array | None = None) -> Float[Array, " B"]:
        keys: Sequence[Array | None] = [None] * len(self.groups)
        if key is not None:
            keys = list(jax.random.split(key, len(self.groups)))
        logits = []
        for head, group, own_key in zip(self.heads, self.groups, keys, strict=True):
            own_BxI = codes_BxFxK[:, jnp.asarray(group)].reshape(codes_BxFxK.shape[0], -1)
            logits.append(head(own_BxI, key=own_key))
        return noisy_or(jnp.stack(logits, axis=1))


def noisy_or(logits_BxG: Float[Array, "B G"]) -> Float[Array, " B"]:
    """The logit of 1 - product over the groups of (1 - probability)."""
    genuine_B = -jax.nn.softplus(jnp.maximum(logits_BxG, _LEAST_LOGIT)).sum(1)
    return jnp.log(-jnp.expm1(genuine_B)) - genuine_B


def initial(config: FraudConfig, groups: Groups, codes: int, *, rate: float, seed: int) -> dict[str, Array]:
    """New parameters by dotted name; the same seed gives the same ones."""
    state = nnx.state(Network(config, groups, codes, rate=rate, rngs=nnx.Rngs(seed)), nnx.Param)
    return {".".join(map(str, path)): leaf[...] for path, leaf in nnx.to_flat_state(state)}


def logits(
    config: FraudConfig,
    groups: Groups,
    params: Params,
    edges_FxK: Float[Array, "F K"],
    features_BxF: Float[Array, "B F"],
    *,
    key: Array | None = None,
) -> Float[Array, " B"]:
    """The logits of a batch under these parameters; with a `key` as in training, with dropout."""
    codes_BxFxK = encoding.encoded(features_BxF, edges_FxK)
    shapes = nnx.eval_shape(lambda: Network(config, groups, edges_FxK.shape[1], rate=0.5, rngs=nnx.Rngs(0)))
    graph, state = nnx.split(shapes, nnx.Param)
    flat = [(path, leaf.replace(params[".".join(map(str, path))])) for path, leaf in nnx.to_flat_state(state)]
    model = nnx.merge(graph, nnx.from_flat_state(flat))
    return model(codes_BxFxK, key=key)
