"""The jitted functions of serving, each with few input shapes: one tile of rows, a bucket of widths.

Work of any size is a loop over calls with the same tile, so a row's result cannot depend on how many rows
came with it. The item matrix is the only argument that is ever donated, and only to the function that patches
it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from model.recommend import layers, topk
from model.recommend.config import RecommendConfig
from model.recommend.items import ItemFeatures

Found = tuple[Float[Array, "B K"], Int[Array, "B K"]]


@dataclass(frozen=True)
class Programs:
    """Jitted functions of one config, shared by every ranker of that config in this process."""

    embed: Callable[..., Any]
    encode: Callable[..., Any]
    search: Callable[..., Any]
    neighbours: Callable[..., Any]
    patch: Callable[..., Any]


@functools.cache
def of(config: RecommendConfig) -> Programs:
    """The functions of `config`; compiled when first called with a shape."""
    return Programs(
        embed=jax.jit(functools.partial(_embed, config)),
        encode=jax.jit(functools.partial(_encode, config)),
        search=jax.jit(functools.partial(_search, config)),
        neighbours=jax.jit(functools.partial(_neighbours, config)),
        patch=jax.jit(_patch, donate_argnums=0),
    )


def _embed(config: RecommendConfig, params: layers.Params, features: ItemFeatures) -> Float[Array, "N D"]:
    return layers.bind(config, params).items(features)


def _encode(
    config: RecommendConfig,
    params: layers.Params,
    vectors_CxD: Float[Array, "C D"],
    slots_BxL: Int[Array, "B L"],
    kinds_BxL: Int[Array, "B L"],
    seconds_BxL: Float[Array, "B L"],
    lengths_B: Int[Array, " B"],
) -> Float[Array, "B D"]:
    # Column 0 is the start of the history; padding columns are a segment of their own, which nobody reads.
    columns_L = jnp.arange(slots_BxL.shape[1])
    segments_BxL = (columns_L[None, :] > lengths_B[:, None]).astype(jnp.int32)
    vectors_BxLxD = vectors_CxD.at[slots_BxL].get(mode="fill", fill_value=0.0)
    model = layers.bind(config, params)
    users_BxLxD = model.histories(vectors_BxLxD, kinds_BxL, seconds_BxL, segments_BxL)
    return jnp.take_along_axis(users_BxLxD, lengths_B[:, None, None], 1)[:, 0]


def _search(
    config: RecommendConfig,
    users_BxD: Float[Array, "B D"],
    vectors_CxD: Float[Array, "C D"],
    open_C: Bool[Array, " C"],
    categories_C: Int[Array, " C"],
    excluded_BxX: Int[Array, "B X"],
) -> Found:
    scores_BxC = jnp.where(open_C[None, :], users_BxD @ vectors_CxD.T, -jnp.inf)
    rows_Bx1 = jnp.arange(users_BxD.shape[0])[:, None]
    scores_BxC = scores_BxC.at[rows_Bx1, excluded_BxX].set(-jnp.inf, mode="drop")
    scores_BxK, slots_BxK = topk.top_k(scores_BxC, config.candidates)
    if config.diversity:
        scores_BxK = topk.diversified(scores_BxK, categories_C[slots_BxK], strength=config.diversity)
    return scores_BxK, slots_BxK


def _neighbours(
    config: RecommendConfig,
    vectors_CxD: Float[Array, "C D"],
    open_C: Bool[Array, " C"],
    slots_B: Int[Array, " B"],
) -> Found:
    squares_C = jnp.sum(vectors_CxD * vectors_CxD, -1)
    of_B = vectors_CxD.at[slots_B].get(mode="fill", fill_value=0.0)
    squares_B = jnp.sum(of_B * of_B, -1)
    cosines_BxC = of_B @ vectors_CxD.T * jax.lax.rsqrt(squares_B[:, None] * squares_C[None, :] + 1e-12)
    itself_BxC = jnp.arange(vectors_CxD.shape[0])[None, :] == slots_B[:, None]
    return topk.top_k(jnp.where(open_C[None, :] & ~itself_BxC, cosines_BxC, -jnp.inf), config.candidates)


def _patch(
    vectors_CxD: Float[Array, "C D"], slots_N: Int[Array, " N"], rows_NxD: Float[Array, "N D"]
) -> Float[Array, "C D"]:
    return vectors_CxD.at[slots_N].set(rows_NxD, mode="drop")
