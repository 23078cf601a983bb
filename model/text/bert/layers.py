"""The network of BERT (Devlin et al. 2019, NAACL), with norms last, and of RoBERTa, whose positions start later.

It computes the same as transformers' BertModel and XLMRobertaModel without dropout, and pools like
sentence-transformers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from model.text.bert.config import EncoderConfig

Params = Mapping[str, Array]

_ACTIVATIONS = {
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "gelu_new": jax.nn.gelu,
    "gelu_pytorch_tanh": jax.nn.gelu,
    "relu": jax.nn.relu,
    "silu": jax.nn.silu,
}


def _empty(*shape: int) -> nnx.Param:
    return nnx.Param(jnp.zeros(shape, jnp.float32))


class Affine(nnx.Module):
    """A product with a matrix, and a bias."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.weight, self.bias = _empty(inputs, outputs), _empty(outputs)

    def __call__(self, x_BxLxI: Float[Array, "B L I"]) -> Float[Array, "B L O"]:
        return x_BxLxI @ self.weight[...] + self.bias[...][None, None]


class Norm(nnx.Module):
    """Layer normalisation with a gain and a bias (Ba et al. 2016, arXiv 1607.06450)."""

    def __init__(self, config: EncoderConfig) -> None:
        self.gain, self.bias, self.epsilon = _empty(config.dim), _empty(config.dim), config.epsilon

    def __call__(self, x_BxLxD: Float[Array, "B L D"]) -> Float[Array, "B L D"]:
        centred = x_BxLxD - x_BxLxD.mean(-1, keepdims=True)
        scaled = centred * jax.lax.rsqrt(jnp.mean(centred * centred, -1, keepdims=True) + self.epsilon)
        return scaled * self.gain[...][None, None] + self.bias[...][None, None]


class Block(nnx.Module):
    """Attention over all tokens of a text, and a feed-forward layer; each is added and then normalised."""

    def __init__(self, config: EncoderConfig) -> None:
        self.qkv, self.out = Affine(config.dim, 3 * config.dim), Affine(config.dim, config.dim)
        self.up, self.down = Affine(config.dim, config.inner), Affine(config.inner, config.dim)
        self.attended, self.fed = Norm(config), Norm(config)
        self.heads, self.activation = config.heads, config.activation

    def __call__(self, x_BxLxD: Float[Array, "B L D"], seen_BxL: Bool[Array, "B L"]) -> Float[Array, "B L D"]:
        x_BxLxD = self.attended(x_BxLxD + self.out(self._attend(x_BxLxD, seen_BxL)))
        return self.fed(x_BxLxD + self.down(_ACTIVATIONS[self.activation](self.up(x_BxLxD))))

    def _attend(self, x_BxLxD: Array, seen_BxL: Array) -> Array:
        batch, length, dim = x_BxLxD.shape
        shape = (batch, length, self.heads, dim // self.heads)
        q, k, v = (part.reshape(shape) for part in jnp.split(self.qkv(x_BxLxD), 3, -1))
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(shape[-1])
        # Finite, so that a row with only padding is not nan.
        scores = jnp.where(seen_BxL[:, None, None, :], scores, jnp.finfo(jnp.float32).min)
        return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores, -1), v).reshape(x_BxLxD.shape)


class Network(nnx.Module):
    """Tokens to one unit vector per text."""

    def __init__(self, config: EncoderConfig) -> None:
        self.words = _empty(config.vocabulary, config.dim)
        self.positions = _empty(config.positions, config.dim)
        self.segments = _empty(config.segments, config.dim)
        self.norm = Norm(config)
        self.blocks = nnx.List([Block(config) for _ in range(config.blocks)])
        self.first, self.pooling = config.first_position, config.pooling

    def __call__(self, tokens_BxL: Int[Array, "B L"], lengths_B: Int[Array, " B"]) -> Float[Array, "B D"]:
        """`vectors_BxD` of unit length.

        A row's first `lengths_B` tokens count; with 0 tokens the vector is meaningless.
        """
        length = tokens_BxL.shape[1]
        seen_BxL = jnp.arange(length)[None] < lengths_B[:, None]
        places_LxD = self.positions[...][self.first : self.first + length] + self.segments[...][:1]
        x = self.norm(self.words[...][tokens_BxL] + places_LxD[None])
        for block in self.blocks:
            x = block(x, seen_BxL)
        return _unit(x[:, 0] if self.pooling == "cls" else _mean(x, seen_BxL))


def _mean(x_BxLxD: Array, seen_BxL: Array) -> Array:
    total_BxD = jnp.where(seen_BxL[..., None], x_BxLxD, 0.0).sum(1)
    return total_BxD / jnp.maximum(seen_BxL.sum(1), 1).astype(x_BxLxD.dtype)[:, None]


def _unit(x_BxD: Array) -> Array:
    return x_BxD / jnp.maximum(jnp.linalg.norm(x_BxD, axis=-1, keepdims=True), 1e-12)


def shapes(config: EncoderConfig) -> dict[str, tuple[int, ...]]:
    """Every parameter's dotted name and shape."""
    state = nnx.state(nnx.eval_shape(lambda: Network(config)), nnx.Param)
    return {".".join(map(str, path)): leaf.shape for path, leaf in nnx.to_flat_state(state)}


def bind(config: EncoderConfig, params: Params) -> Network:
    """The network with these parameters; cheap, for use inside a jitted function."""
    graph, state = nnx.split(nnx.eval_shape(lambda: Network(config)), nnx.Param)
    flat = [(path, leaf.replace(params[".".join(map(str, path))])) for path, leaf in nnx.to_flat_state(state)]
    return nnx.merge(graph, nnx.from_flat_state(flat))
