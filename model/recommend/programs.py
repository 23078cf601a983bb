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

from model.recommend import blend, layers, search, topk
from model.recommend.blend import Blend, Recent
from model.recommend.config import RecommendConfig
from model.recommend.items import ItemFeatures
from model.recommend.search import Found
from model.recommend.transitions import Transitions


@dataclass(frozen=True)
class Programs:
    """Jitted functions of one config, shared by every ranker of that config in this process."""

    embed: Callable[..., Any]
    encode: Callable[..., Any]
    search: Callable[..., Any]
    most_probable: Callable[..., Any]
    scores: Callable[..., Any]
    neighbours: Callable[..., Any]
    patch: Callable[..., Any]
    patch_transitions: Callable[..., Any]


@functools.cache
def of(config: RecommendConfig) -> Programs:
    """The functions of `config`; compiled when first called with a shape."""
    return Programs(
        embed=jax.jit(functools.partial(_embed, config)),
        encode=jax.jit(functools.partial(_encode, config)),
        search=jax.jit(functools.partial(_search, config)),
        most_probable=jax.jit(functools.partial(search.most_probable, k=config.candidates)),
        scores=jax.jit(search.at),
        neighbours=jax.jit(functools.partial(_neighbours, config)),
        patch=jax.jit(_patch, donate_argnums=0),
        patch_transitions=jax.jit(_patch_transitions, donate_argnums=0),
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
) -> tuple[Float[Array, "B D"], Recent]:
    # Column 0 is the start of the history; padding columns are a segment of their own, which nobody reads.
    columns_L = jnp.arange(slots_BxL.shape[1])
    segments_BxL = (columns_L[None, :] > lengths_B[:, None]).astype(jnp.int32)
    vectors_BxLxD = vectors_CxD.at[slots_BxL].get(mode="fill", fill_value=0.0)
    model = layers.bind(config, params)
    users_BxLxD = model.histories(vectors_BxLxD, kinds_BxL, seconds_BxL, segments_BxL)
    strengths_BxL = jnp.where(kinds_BxL < 0, 0.0, jnp.asarray(blend.strengths(config))[kinds_BxL])
    recent = blend.recent_of(slots_BxL, strengths_BxL, lengths_B)
    return jnp.take_along_axis(users_BxLxD, lengths_B[:, None, None], 1)[:, 0], recent


def _search(
    config: RecommendConfig,
    learned: Blend,
    transitions: Transitions,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    open_C: Bool[Array, " C"],
    categories_C: Int[Array, " C"],
    excluded_BxX: Int[Array, "B X"],
) -> Found:
    scores_BxK, slots_BxK = search.best(
        learned, transitions, users_BxD, recent, vectors_CxD, faded_C, open_C, excluded_BxX, k=config.candidates
    )
    if config.diversity:
        categories_BxK = categories_C.at[slots_BxK].get(mode="fill", fill_value=0)
        scores_BxK = topk.diversified(scores_BxK, categories_BxK, strength=config.diversity)
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


def _patch_transitions(transitions: Transitions, slots_N: Int[Array, " N"], rows: Transitions) -> Transitions:
    return Transitions(
        *(whole.at[slots_N].set(part, mode="drop") for whole, part in zip(transitions, rows, strict=True))
    )
