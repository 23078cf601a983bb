"""The network: an item tower and a causal history encoder, in one NNX module with flat parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from model.recommend.config import RecommendConfig
from model.recommend.items import ItemFeatures

Params = Mapping[str, Array]

EMBEDDINGS = ("items.ids", "items.hashed")
"""The parameters with one row per item, or per hashed label."""

# Seconds after which a decay has reached 1/e: ten minutes, a day, a month.
_FADES = (600.0, 86_400.0, 2_592_000.0)
_TIME_FEATURES = 2 + len(_FADES)


def time_features(seconds: Float[Array, "*S"]) -> Float[Array, "*S F"]:
    """A smooth basis of a time difference >= 0, in seconds: one, its logarithm, and three exponential decays."""
    parts = [jnp.ones_like(seconds), jnp.log1p(seconds) / 10.0]
    parts += [jnp.exp(seconds * (-1.0 / fade)) for fade in _FADES]
    return jnp.stack(parts, -1)


def normalised(x: Float[Array, "*S D"]) -> Float[Array, "*S D"]:
    """`x` with unit mean square on its last axis (RMSNorm without a gain; Zhang and Sennrich 2019)."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6)


def dropped(x: Array, rate: float, *, key: Array | None) -> Array:
    """`x` with a share `rate` of its values zeroed and the rest scaled up; `x` itself without a key."""
    if key is None or rate == 0.0:
        return x
    return jnp.where(jax.random.bernoulli(key, 1.0 - rate, x.shape), x / (1.0 - rate), 0.0)


class ItemTower(nnx.Module):
    """An item's vector: id embedding + hashed text, category, brand and attributes + price.

    An item that was never trained on has row 0, whose embedding is zero, so only its content counts.
    """

    def __init__(self, config: RecommendConfig, ids: int, *, rngs: nnx.Rngs) -> None:
        def table(rows: int, scale: float) -> nnx.Param:
            return nnx.Param(scale * jax.random.normal(rngs.params(), (rows, config.dim)))

        self.ids = table(ids + 1, 0.05)
        self.hashed = table(config.hash_buckets + 1, 0.05)
        self.price = table(3, 0.01)
        self.dim = config.dim

    def __call__(self, features: ItemFeatures, *, hide_ids: Bool[Array, " N"] | None = None) -> Float[Array, "N D"]:
        rows_N = features.rows_N if hide_ids is None else jnp.where(hide_ids, 0, features.rows_N)
        by_id_NxD = jnp.where((rows_N > 0)[:, None], self.ids[...][rows_N], 0.0)
        labels_NxD = self._sum(features.labels_NxF)
        text_NxD = self._pooled(features.text_NxT)
        attributes_NxD = self._pooled(features.attributes_NxA)
        # Three explicit products: a matmul's summation order may change with the number of rows.
        price_PxNxD = features.price_NxP.T[:, :, None] * self.price[...][:, None, :]
        return by_id_NxD + labels_NxD + text_NxD + attributes_NxD + price_PxNxD.sum(0)

    def _sum(self, hashed_NxF: Int[Array, "N F"]) -> Float[Array, "N D"]:
        return jnp.where((hashed_NxF > 0)[..., None], self.hashed[...][hashed_NxF], 0.0).sum(1)

    def _pooled(self, hashed_NxF: Int[Array, "N F"]) -> Float[Array, "N D"]:
        # Divided by the root of the count: between a sum, which favours long texts, and a mean, which weakens
        # them.
        counts_N = (hashed_NxF > 0).sum(1)
        return self._sum(hashed_NxF) * jax.lax.rsqrt(jnp.maximum(counts_N, 1).astype(jnp.float32))[:, None]


class Block(nnx.Module):
    """What all blocks share: projections to queries, keys and values, and biases by order and time between events."""

    def __init__(self, config: RecommendConfig, *, rngs: nnx.Rngs) -> None:
        self.qkv, self.out = _weight(config.dim, 3 * config.dim, rngs), _weight(config.dim, config.dim, rngs)
        self.by_distance = nnx.Param(jnp.zeros((config.row, config.heads)))
        self.by_time = nnx.Param(jnp.zeros((_TIME_FEATURES, config.heads)))
        self.heads, self.dropout = config.heads, config.dropout

    def _scores(self, qkv_BxLx3D: Array, pairs: Pairs) -> tuple[Array, Array]:
        """Scores of pairs ("B H Q K"), biased, and the values ("B K H D")."""
        batch, length, width = qkv_BxLx3D.shape
        shape = (batch, length, self.heads, width // 3 // self.heads)
        q, k, v = (part.reshape(shape) for part in jnp.split(qkv_BxLx3D, 3, -1))
        scores = jnp.einsum("bqhd,bkhd->bhqk", pairs.asking(q), k) / math.sqrt(shape[-1])
        distance_BxQxLxH = self.by_distance[...][pairs.distance_BxQxL]
        scores = scores + jnp.moveaxis(distance_BxQxLxH, -1, 1)
        scores = scores + jnp.einsum("bqkf,fh->bhqk", pairs.time_BxQxLxF, self.by_time[...])
        return scores, v * pairs.sign_BxL[:, :, None, None]

    def _attend(self, h_BxLxD: Array, pairs: Pairs) -> Array:
        scores, values = self._scores(h_BxLxD @ self.qkv[...], pairs)
        weights = jax.nn.softmax(scores + pairs.mask_BxQxL[:, None], -1)
        attended_BxQxHxD = jnp.einsum("bhqk,bkhd->bqhd", weights, values)
        return attended_BxQxHxD.reshape(*attended_BxQxHxD.shape[:2], -1) @ self.out[...]


class SasRecBlock(Block):
    """Softmax attention and a feed-forward layer of the same width (Kang and McAuley 2018, ICDM), norms first."""

    def __init__(self, config: RecommendConfig, *, rngs: nnx.Rngs) -> None:
        super().__init__(config, rngs=rngs)
        self.up, self.down = _weight(config.dim, config.dim, rngs), _weight(config.dim, config.dim, rngs)

    def __call__(self, x_BxLxD: Array, pairs: Pairs, *, key: Array | None) -> Array:
        keys = (None, None) if key is None else jax.random.split(key)
        attended = self._attend(normalised(x_BxLxD), pairs)
        x_BxQxD = pairs.asking(x_BxLxD) + dropped(attended, self.dropout, key=keys[0])
        fed = jax.nn.relu(normalised(x_BxQxD) @ self.up[...]) @ self.down[...]
        return x_BxQxD + dropped(fed, self.dropout, key=keys[1])


class LigrBlock(Block):
    """Attention and a gated feed-forward layer, each scaled by a learned gate of its input.

    The gates are those of LiGR (Borisyuk et al. 2024, arXiv 2502.03417), the feed-forward is SwiGLU (Shazeer
    2020).
    """

    def __init__(self, config: RecommendConfig, *, rngs: nnx.Rngs) -> None:
        super().__init__(config, rngs=rngs)
        dim, inner = config.dim, 2 * config.dim
        self.attention_gate = _weight(dim, dim, rngs)
        self.up, self.down, self.feed_gate = (
            _weight(rows, columns, rngs) for rows, columns in ((dim, 2 * inner), (inner, dim), (dim, dim))
        )

    def __call__(self, x_BxLxD: Array, pairs: Pairs, *, key: Array | None) -> Array:
        keys = (None, None) if key is None else jax.random.split(key)
        h = normalised(x_BxLxD)
        gated = jax.nn.sigmoid(pairs.asking(h) @ self.attention_gate[...]) * self._attend(h, pairs)
        x_BxQxD = pairs.asking(x_BxLxD) + dropped(gated, self.dropout, key=keys[0])
        h = normalised(x_BxQxD)
        gate, value = jnp.split(h @ self.up[...], 2, -1)
        fed = (jax.nn.silu(gate) * value) @ self.down[...]
        return x_BxQxD + dropped(jax.nn.sigmoid(h @ self.feed_gate[...]) * fed, self.dropout, key=keys[1])


class HstuBlock(Block):
    """Pointwise attention without a softmax, whose sum is gated; no feed-forward layer (Zhai et al. 2024, ICML)."""

    def __init__(self, config: RecommendConfig, *, rngs: nnx.Rngs) -> None:
        super().__init__(config, rngs=rngs)
        self.gate = _weight(config.dim, config.dim, rngs)

    def __call__(self, x_BxLxD: Array, pairs: Pairs, *, key: Array | None) -> Array:
        h = normalised(x_BxLxD)
        scores, values = self._scores(jax.nn.silu(h @ self.qkv[...]), pairs)
        counts_BxQxL = jnp.exp(pairs.mask_BxQxL)
        shares_BxQxL = counts_BxQxL / jnp.maximum(counts_BxQxL.sum(-1, keepdims=True), 1e-6)
        weights = jax.nn.silu(scores) * shares_BxQxL[:, None]
        asking = pairs.asking(h)
        attended = normalised(jnp.einsum("bhqk,bkhd->bqhd", weights, values).reshape(asking.shape))
        gated = (attended * jax.nn.silu(asking @ self.gate[...])) @ self.out[...]
        return pairs.asking(x_BxLxD) + dropped(gated, self.dropout, key=key)


BLOCKS: Mapping[str, type[Block]] = {"sasrec": SasRecBlock, "ligr": LigrBlock, "hstu": HstuBlock}


def _weight(rows: int, columns: int, rngs: nnx.Rngs) -> nnx.Param:
    return nnx.Param(jax.random.normal(rngs.params(), (rows, columns)) / math.sqrt(rows))


class Pairs:
    """What all blocks share about pairs of events: which sees which, and their distances in order and time.

    With `at_B` only the event in that column of each row is a query ("Q" is one), else every event is.
    """

    def __init__(
        self,
        segments_BxL: Int[Array, "B L"],
        seconds_BxL: Float[Array, "B L"],
        weights_BxL: Float[Array, "B L"],
        at_B: Int[Array, " B"] | None = None,
    ) -> None:
        self._at_B = at_B
        columns_L = np.arange(segments_BxL.shape[1])
        asking_BxQ = columns_L[None, :] if at_B is None else at_B[:, None]
        # If every event is a query, this is the same for each row, and constant at compile time.
        steps_BxQxL = asking_BxQ[:, :, None] - columns_L[None, None, :]
        self.distance_BxQxL = steps_BxQxL.clip(0)
        ago_BxQxL = jnp.maximum(self.asking(seconds_BxL)[:, :, None] - seconds_BxL[:, None, :], 0.0)
        self.time_BxQxLxF = time_features(ago_BxQxL)
        same_BxQxL = self.asking(segments_BxL)[:, :, None] == segments_BxL[:, None, :]
        # Adding the logarithm of a weight before the softmax counts an event as that many events.
        counts_BxL = jnp.log(jnp.maximum(jnp.abs(weights_BxL), 1e-6))
        self.mask_BxQxL = jnp.where(same_BxQxL & (steps_BxQxL >= 0), counts_BxL[:, None, :], -1e9)
        self.sign_BxL = jnp.where(weights_BxL < 0, -1.0, 1.0)

    def asking(self, x_BxL: Array) -> Array:
        """The columns of `x_BxL` (and any further axes) that are queries."""
        if self._at_B is None:
            return x_BxL
        return x_BxL[jnp.arange(x_BxL.shape[0]), self._at_B][:, None]


class HistoryEncoder(nnx.Module):
    """A causal transformer over a user's events; the product of an event's output and an item's vector is its score."""

    def __init__(self, config: RecommendConfig, *, rngs: nnx.Rngs) -> None:
        self.start = nnx.Param(0.5 * jax.random.normal(rngs.params(), (config.dim,)))
        self.kinds = nnx.Param(jnp.zeros((len(config.kind_weights), config.dim)))
        self.gaps = nnx.Param(jnp.zeros((_TIME_FEATURES, config.dim)))
        self.blocks = nnx.List([BLOCKS[config.block](config, rngs=rngs) for _ in range(config.blocks)])
        self.dim, self.dropout = config.dim, config.dropout
        strongest = max(abs(weight) for weight in config.kind_weights)
        self.weights = tuple(weight / strongest for weight in config.kind_weights)

    def __call__(
        self,
        vectors_BxLxD: Float[Array, "B L D"],
        kinds_BxL: Int[Array, "B L"],
        seconds_BxL: Float[Array, "B L"],
        segments_BxL: Int[Array, "B L"],
        *,
        at_B: Int[Array, " B"] | None = None,
        key: Array | None = None,
    ) -> Float[Array, "B Q D"]:
        """`users_BxQxD`: what the user may want after each event. A kind of -1 starts a history.

        `seconds_BxL` are seconds on any scale that ascends within a history; the events of a history share a segment,
        and see only their own. With `at_B` only the outputs of the events in these columns are computed, for little
        more than half of the work.
        """
        keys = [None] * (len(self.blocks) + 1) if key is None else list(jax.random.split(key, len(self.blocks) + 1))
        starts_BxL = kinds_BxL < 0
        weights_BxL = jnp.where(starts_BxL, 1.0, jnp.asarray(self.weights, jnp.float32)[kinds_BxL])
        x = self._events(vectors_BxLxD, kinds_BxL, weights_BxL)
        gaps_BxL = jnp.diff(seconds_BxL, axis=1, prepend=seconds_BxL[:, :1])
        x = x + jnp.einsum("blf,fd->bld", time_features(jnp.maximum(gaps_BxL, 0.0)), self.gaps[...])
        x = jnp.where(starts_BxL[..., None], self.start[...][None, None, :], x)
        x = dropped(x, self.dropout, key=keys[0])
        pairs = Pairs(segments_BxL, seconds_BxL, weights_BxL)
        *inner, last = zip(self.blocks, keys[1:], strict=True)
        for block, block_key in inner:
            x = block(x, pairs, key=block_key)
        block, block_key = last
        x = block(x, pairs if at_B is None else Pairs(segments_BxL, seconds_BxL, weights_BxL, at_B), key=block_key)
        return normalised(x)

    def _events(self, vectors_BxLxD: Array, kinds_BxL: Array, weights_BxL: Array) -> Array:
        gains_BxL = jnp.sign(weights_BxL) * jnp.sqrt(jnp.abs(weights_BxL)) * math.sqrt(self.dim)
        return vectors_BxLxD * gains_BxL[..., None] + self.kinds[...][kinds_BxL]


class Recommender(nnx.Module):
    """The item tower and the history encoder. `ids` is the number of items with their own embedding."""

    def __init__(self, config: RecommendConfig, ids: int, *, rngs: nnx.Rngs) -> None:
        self.items = ItemTower(config, ids, rngs=rngs)
        self.histories = HistoryEncoder(config, rngs=rngs)


def initial(config: RecommendConfig, ids: int, *, seed: int) -> dict[str, Array]:
    """New parameters by dotted name; the same seed gives the same ones."""
    state = nnx.state(Recommender(config, ids, rngs=nnx.Rngs(seed)), nnx.Param)
    return {".".join(map(str, path)): leaf[...] for path, leaf in nnx.to_flat_state(state)}


def bind(config: RecommendConfig, params: Params) -> Recommender:
    """The module with these parameters; cheap, for use inside a jitted function."""
    shapes = nnx.eval_shape(lambda: Recommender(config, params["items.ids"].shape[0] - 1, rngs=nnx.Rngs(0)))
    graph, state = nnx.split(shapes, nnx.Param)
    flat = [(path, leaf.replace(params[".".join(map(str, path))])) for path, leaf in nnx.to_flat_state(state)]
    return nnx.merge(graph, nnx.from_flat_state(flat))
