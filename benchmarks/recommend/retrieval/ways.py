"""The ways to search, each a function from a tile of users to scores and slots, and the encoder before them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.recommend.retrieval import faiss_index, quantised
from model.recommend import config, network
from model.recommend.serving import compiled as serving_compiled
from model.recommend.serving import retrieval, topk

LENGTH = 16
_MEAN_LENGTH = 9
Search = Callable[[Any], Any]


@dataclass(frozen=True)
class Way:
    """One way to search; `memory` is the bytes that its search reads or keeps, `build` the seconds to make them."""

    name: str
    search: Search
    memory: int
    build: float = 0.0


def encoder(vectors_CxD: jax.Array, tile: int, *, seed: int) -> Callable[[], jax.Array]:
    """Encodes a tile of histories of mean length nine in the bucket of 16, with the preset small, untrained."""
    made = config.preset("small")
    params = jax.device_put(network.initial(made, 1000, seed=seed))
    random = np.random.default_rng(seed)
    lengths_B = np.minimum(random.geometric(1 / _MEAN_LENGTH, tile), LENGTH).astype(np.int32)
    shape = (tile, LENGTH + 1)
    slots_BxL = random.integers(0, len(vectors_CxD), shape).astype(np.int32)
    kinds_BxL = random.integers(0, len(config.KINDS) - 1, shape).astype(np.int32)
    kinds_BxL[:, 0] = -1
    seconds_BxL = np.sort(-1e6 * random.random(shape), 1).astype(np.float32)
    encode = serving_compiled.build(made).encode
    return lambda: encode(params, vectors_CxD, slots_BxL, kinds_BxL, seconds_BxL, lengths_B)


def all_of(vectors_CxD: jax.Array, open_C: jax.Array, k: int, *, with_index: bool) -> Iterator[Way]:
    """Every way, built when it is asked for."""
    memory = vectors_CxD.nbytes
    yield Way("products", _bound(_products, vectors_CxD), memory)
    yield Way("plain", _bound(functools.partial(_plain, k=k), vectors_CxD, open_C), memory)
    yield Way("two_stages", _bound(functools.partial(_two_stages, k=k), vectors_CxD, open_C), memory)
    yield Way("exact", _bound(functools.partial(retrieval.top_k, k=k), vectors_CxD, open_C), memory)
    start = time.perf_counter()
    small = jax.block_until_ready(jax.jit(quantised.quantise)(vectors_CxD))
    seconds = time.perf_counter() - start
    bytes_of = small.codes_CxD.nbytes + small.scales_C.nbytes
    yield Way("int8", _bound(functools.partial(quantised.top_k, k=k), small, open_C), bytes_of, seconds)
    rescoring = jax.jit(
        lambda users, small, open_, vectors: quantised.top_k(users, small, open_, k, vectors_CxD=vectors)
    )
    yield Way("int8_rescored", lambda users: rescoring(users, small, open_C, vectors_CxD), bytes_of + memory, seconds)
    if with_index:
        yield _index(vectors_CxD, open_C, k)


def _bound(function: Callable[..., Any], *catalogue: Any) -> Search:
    compiled = jax.jit(function)
    return lambda users: compiled(users, *catalogue)


def _products(users_BxD: jax.Array, vectors_CxD: jax.Array) -> jax.Array:
    return jnp.matmul(users_BxD, vectors_CxD.T, precision=lax.Precision.HIGHEST)


def _plain(users_BxD: jax.Array, vectors_CxD: jax.Array, open_C: jax.Array, *, k: int) -> retrieval.Found:
    return lax.top_k(jnp.where(open_C[None, :], _products(users_BxD, vectors_CxD), -jnp.inf), k)


def _two_stages(users_BxD: jax.Array, vectors_CxD: jax.Array, open_C: jax.Array, *, k: int) -> retrieval.Found:
    return topk.top_k(jnp.where(open_C[None, :], _products(users_BxD, vectors_CxD), -jnp.inf), k)


def _index(vectors_CxD: jax.Array, open_C: jax.Array, k: int) -> Way:
    start = time.perf_counter()
    made = faiss_index.Index(np.asarray(vectors_CxD), np.asarray(open_C))
    seconds = time.perf_counter() - start
    rescored = jax.jit(functools.partial(retrieval.rescored, k=k))

    def search(users_BxD: Any) -> retrieval.Found:
        slots_BxM = made.search(np.asarray(users_BxD), faiss_index.PER_RESULT * k)
        return rescored(users_BxD, vectors_CxD, open_C, slots_BxM)

    return Way("index", search, made.memory + vectors_CxD.nbytes, seconds)
