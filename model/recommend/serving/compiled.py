"""The jitted functions of serving, each with few input shapes: one tile of rows, a bucket of widths.

Work of any size is a loop over calls with the same tile, and within a tile each row runs through the same instructions
(`rowwise.py`), so a row's result cannot depend on how many rows came with it. Only the matrices of items and of
transitions are ever donated, and only to the functions that patch them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from model.recommend import blend, network
from model.recommend.blend import Blend, Recent, Tables
from model.recommend.config import RecommendConfig
from model.recommend.items import ItemFeatures
from model.recommend.serving import rowwise, search, topk
from model.recommend.serving.search import Found
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
    patch_columns: Callable[..., Any]
    patch_transitions: Callable[..., Any]


@functools.cache
def build(config: RecommendConfig) -> Programs:
    """The functions of `config`; compiled when first called with a shape."""
    return Programs(
        embed=jax.jit(functools.partial(_embed, config)),
        encode=jax.jit(functools.partial(_encode, config)),
        search=jax.jit(functools.partial(_search, config)),
        most_probable=jax.jit(functools.partial(search.most_probable, k=config.candidates)),
        scores=jax.jit(_scores),
        neighbours=jax.jit(functools.partial(_neighbours, config)),
        patch=jax.jit(_patch, donate_argnums=0),
        patch_columns=jax.jit(_patch_columns, donate_argnums=0),
        patch_transitions=jax.jit(_patch_transitions, donate_argnums=0),
    )


def _embed(config: RecommendConfig, params: network.Params, features: ItemFeatures) -> Float[Array, "N D"]:
    return network.bind(config, params).items(features)


def _encode(
    config: RecommendConfig,
    params: network.Params,
    vectors_CxD: Float[Array, "C D"],
    slots_BxL: Int[Array, "B L"],
    kinds_BxL: Int[Array, "B L"],
    seconds_BxL: Float[Array, "B L"],
    lengths_B: Int[Array, " B"],
    count: Int[Array, ""],
) -> tuple[Float[Array, "B D"], Recent]:
    histories = network.bind(config, params).histories
    strengths_K = jnp.asarray(blend.strengths(config))

    def encode(_: Array, rows: tuple[Array, Array, Array, Array]) -> tuple[Array, Recent]:
        slots_SxL, kinds_SxL, seconds_SxL, lengths_S = rows
        # Column 0 is the start of the history; padding columns are a separate segment, which nothing reads.
        segments_SxL = (jnp.arange(slots_SxL.shape[1])[None, :] > lengths_S[:, None]).astype(jnp.int32)
        vectors_SxLxD = vectors_CxD.at[slots_SxL].get(mode="fill", fill_value=0.0)
        users_Sx1xD = histories(vectors_SxLxD, kinds_SxL, seconds_SxL, segments_SxL, at_B=lengths_S)
        strengths_SxL = jnp.where(kinds_SxL < 0, 0.0, strengths_K[kinds_SxL])
        return users_Sx1xD[:, 0], blend.recent_of(slots_SxL, strengths_SxL, lengths_S, width=config.history)

    return rowwise.apply(encode, (slots_BxL, kinds_BxL, seconds_BxL, lengths_B), count)


def _search(
    config: RecommendConfig,
    learned: Blend,
    tables: Tables,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    columns_DxC: Float[Array, "D C"] | None,
    faded_C: Float[Array, " C"],
    open_C: Bool[Array, " C"],
    categories_C: Int[Array, " C"],
    excluded_BxX: Int[Array, "B X"],
    count: Int[Array, ""],
) -> Found:
    found = search.best(
        learned,
        tables,
        users_BxD,
        recent,
        vectors_CxD,
        faded_C,
        open_C,
        excluded_BxX,
        k=config.candidates,
        count=count,
        columns_DxC=columns_DxC,
    )
    if not config.diversity:
        return found

    def diversified(_: Array, found: Found) -> Found:
        scores_SxK, slots_SxK = found
        categories_SxK = categories_C.at[slots_SxK].get(mode="fill", fill_value=0)
        return topk.diversified(scores_SxK, categories_SxK, strength=config.diversity), slots_SxK

    return rowwise.apply(diversified, found, count)


def _scores(
    learned: Blend,
    tables: Tables,
    users_BxD: Float[Array, "B D"],
    recent: Recent,
    vectors_CxD: Float[Array, "C D"],
    faded_C: Float[Array, " C"],
    items_BxK: Int[Array, "B K"],
    count: Int[Array, ""],
) -> Float[Array, "B K"]:
    def score(_: Array, rows: tuple[Array, Recent, Array]) -> Array:
        return search.at(learned, tables, rows[0], rows[1], vectors_CxD, faded_C, rows[2])

    return rowwise.apply(score, (users_BxD, recent, items_BxK), count)  # type: ignore[no-any-return]


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


def _patch_columns(
    columns_DxC: Float[Array, "D C"], slots_N: Int[Array, " N"], rows_NxD: Float[Array, "N D"]
) -> Float[Array, "D C"]:
    return columns_DxC.at[:, slots_N].set(rows_NxD.T, mode="drop")


def _patch_transitions(transitions: Transitions, slots_N: Int[Array, " N"], rows: Transitions) -> Transitions:
    return Transitions(
        *(whole.at[slots_N].set(part, mode="drop") for whole, part in zip(transitions, rows, strict=True))
    )
