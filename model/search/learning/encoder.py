"""A text encoder that learns a shop's catalogue in a minute on two cores: hashed terms to unit vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Float32, Int, Int32

from model.batching import pad_rows, tiles
from model.search.config import SearchConfig
from model.text import analyser, tokens

Role = Literal["query", "passage"]
"""The role of a text for an encoder."""

Params = Mapping[str, Array]

# A unit says little, and the others repeat what is read already.
_UNREAD = frozenset((analyser.UNIT, analyser.PART, analyser.SPELLED))

_TILE = 2048
_FEW = 32  # texts that are embedded one by one


class TextVectors(Protocol):
    """Anything that gives texts unit vectors: the encoder here, or one of `model.text.bert`."""

    @property
    def dim(self) -> int:
        """The length of a vector."""
        ...

    def encode(self, texts: Sequence[str], *, role: Role = "passage") -> Float32[np.ndarray, "N D"]:
        """`vectors_NxD` of unit length, or zeros for a text without any term."""
        ...


class Network(nnx.Module):
    """Term embeddings, summed with a learned weight for each term, then one residual layer.

    The weight (gate) of a term is learned, and has the role of inverse document frequency in BM25.
    """

    def __init__(self, config: SearchConfig, *, rngs: nnx.Rngs) -> None:
        def normal(rows: int, columns: int, scale: float) -> nnx.Param:
            return nnx.Param(scale * jax.random.normal(rngs.params(), (rows, columns)))

        dim = config.dim
        self.table = normal(config.buckets + 1, dim, 0.05)
        self.gate = nnx.Param(jnp.zeros(config.buckets + 1))
        self.up = normal(dim, 2 * dim, dim**-0.5)
        self.down = normal(2 * dim, dim, 0.1 * (2 * dim) ** -0.5)
        self.log_scale = nnx.Param(jnp.log(15.0))

    def __call__(self, terms_NxT: Int[Array, "N T"]) -> Float[Array, "N D"]:
        gate_NxT = jnp.where(terms_NxT > 0, jnp.exp(self.gate[...][terms_NxT]), 0.0)
        summed_NxD = (self.table[...][terms_NxT] * gate_NxT[..., None]).sum(1)
        pooled_NxD = summed_NxD * jax.lax.rsqrt((gate_NxT**2).sum(1, keepdims=True) + 1e-6)
        mixed_NxD = pooled_NxD + jax.nn.gelu(pooled_NxD @ self.up[...]) @ self.down[...]
        # The square root's gradient at 0 is infinite, and a text without terms must not break a batch.
        return mixed_NxD * jax.lax.rsqrt((mixed_NxD**2).sum(1, keepdims=True) + 1e-6)


def initial(config: SearchConfig, *, seed: int) -> dict[str, Array]:
    """New parameters by dotted name; the same seed gives the same ones."""
    state = nnx.state(Network(config, rngs=nnx.Rngs(seed)), nnx.Param)
    return {".".join(map(str, path)): leaf[...] for path, leaf in nnx.to_flat_state(state)}


def apply(config: SearchConfig, params: Params, terms_NxT: Int[Array, "N T"]) -> Float[Array, "N D"]:
    """`vectors_NxD` of hashed terms, 0 for padding; for use inside a jitted function."""
    shapes = nnx.eval_shape(lambda: Network(config, rngs=nnx.Rngs(0)))
    graph, state = nnx.split(shapes, nnx.Param)
    flat = [(path, leaf.replace(params[".".join(map(str, path))])) for path, leaf in nnx.to_flat_state(state)]
    return nnx.merge(graph, nnx.from_flat_state(flat))(terms_NxT)


def terms_of(texts: Sequence[str], config: SearchConfig) -> Int32[np.ndarray, "N T"]:
    """The hashed distinct terms of each text, in 1..`config.buckets`; 0 is padding."""
    rows = (dict.fromkeys(term.term for term in analyser.terms(text) if term.kind not in _UNREAD) for text in texts)
    hashed = [list(row) for row in rows]
    return tokens.hash_lists(hashed, width=config.width, buckets=config.buckets)


class Encoder:
    """A trained encoder: `TextVectors` of texts as the analyser reads them."""

    def __init__(self, config: SearchConfig, params: Params) -> None:
        self.config = config
        self.params = {name: jnp.asarray(value) for name, value in params.items()}
        self._host = {name: np.asarray(value) for name, value in params.items()}

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return self.config.dim

    def encode(self, texts: Sequence[str], *, role: Role = "passage") -> Float32[np.ndarray, "N D"]:
        """`vectors_NxD`, of unit length, the same in both roles; compiled for batches of 2,048 texts."""
        terms_NxT = terms_of(texts, self.config)
        if len(texts) < _FEW:
            rows = [_alone(self._host, terms_T[terms_T > 0]) for terms_T in terms_NxT]
            return np.array(rows, np.float32).reshape(len(texts), self.dim)
        parts = [
            np.asarray(_embedded(self.config, self.params, pad_rows(terms_NxT[tile], _TILE)))[: tile.stop - tile.start]
            for tile in tiles(len(texts), _TILE)
        ]
        return np.concatenate(parts)


def _alone(params: Mapping[str, np.ndarray], terms_T: Int32[np.ndarray, " T"]) -> Float32[np.ndarray, " D"]:
    """The vector of one text, computed in numpy: calling a compiled function would cost more than the arithmetic."""
    gate_T = np.exp(params["gate"][terms_T])
    pooled_D = gate_T @ params["table"][terms_T] / np.sqrt(gate_T @ gate_T + np.float32(1e-6))
    up_H = pooled_D @ params["up"]
    # The approximation of GELU by tanh, as in JAX.
    gelu_H = up_H * (1 + np.tanh(np.float32(0.7978846) * (up_H + np.float32(0.044715) * up_H**3))) / 2
    mixed_D = pooled_D + gelu_H @ params["down"]
    return mixed_D / np.sqrt(mixed_D @ mixed_D + np.float32(1e-6))


_embedded = jax.jit(apply, static_argnums=0)
