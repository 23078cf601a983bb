"""Training the encoder: a part of an item has to find the item among others, and a query its relevant items."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Int, Int32

from model.catalogue import Item
from model.recommend.training.loop import Progress
from model.search.config import SearchConfig
from model.search.learning import encoder

_LONGEST_PART = 5
"""Most terms of a part of a title that is used as a query."""


class Pairs(NamedTuple):
    """Queries and their relevant items; a pair is drawn in proportion to its weight."""

    queries_PxT: Int32[np.ndarray, "P T"]
    items_P: Int32[np.ndarray, " P"]
    weights_P: Float32[np.ndarray, " P"]


def texts(items: Sequence[Item]) -> list[str]:
    """The text of each item that the encoder reads."""
    return [" ; ".join(part for part in _parts(item) if part) for item in items]


def pretrain(
    items: Sequence[Item],
    config: SearchConfig,
    *,
    seed: int = 0,
    report: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Array]:
    """Parameters trained on the catalogue: a few of an item's terms, or one of its fields, have to find the item.

    Half of the time those terms are hidden in the item, so that terms are learnt from their context. In-batch softmax
    both ways (van den Oord et al. 2018, arXiv 1807.03748; the inverse cloze task is Lee et al. 2019, ACL).
    """
    terms_NxT = encoder.terms_of(texts(items), config)
    fields_NxT = encoder.terms_of([" ; ".join(part for part in _parts(item)[1:] if part) for item in items], config)
    chance = np.random.default_rng(seed)

    def views(rows_B: Int[np.ndarray, " B"]) -> tuple[np.ndarray, np.ndarray]:
        return _views(terms_NxT[rows_B], fields_NxT[rows_B], chance)

    usable = np.flatnonzero((terms_NxT > 0).sum(1) > 1)
    epochs = max(config.epochs, -(-config.least_steps // max(1, len(usable) // config.batch)))
    drawn = (chance.permutation(usable) for _ in range(epochs))
    start = encoder.initial(config, seed=seed)
    if not len(usable):
        return start
    return _train(config, start, drawn, views, epochs, config.learning_rate, "encoder", report)


def finetune(
    params: encoder.Params,
    pairs: Pairs,
    items_NxT: Int32[np.ndarray, "N T"],
    config: SearchConfig,
    *,
    seed: int = 0,
    report: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Array]:
    """The parameters, further trained on pairs of queries and items (dense ids into `items_NxT`)."""
    if not len(pairs.items_P):
        return dict(params)
    chance = np.random.default_rng(seed)
    weight_P = pairs.weights_P.astype(np.float64)
    share_P = weight_P / weight_P.sum()

    def views(rows_B: Int[np.ndarray, " B"]) -> tuple[np.ndarray, np.ndarray]:
        return pairs.queries_PxT[rows_B], items_NxT[pairs.items_P[rows_B]]

    epochs, rate = config.finetune_epochs, config.finetune_rate
    drawn = (chance.choice(len(share_P), len(share_P), p=share_P) for _ in range(epochs))
    return _train(config, params, drawn, views, epochs, rate, "queries", report, same=pairs.items_P)


def loss(
    config: SearchConfig,
    params: encoder.Params,
    left_BxT: Int[Array, "B T"],
    right_BxT: Int[Array, "B T"],
    same_B: Int[Array, " B"],
) -> Float[Array, ""]:
    """The mean of the softmax losses of left among right and right among left; equal `same_B` are no negatives."""
    left_BxD, right_BxD = (encoder.apply(config, params, terms) for terms in (left_BxT, right_BxT))
    scores_BxB = jnp.exp(params["log_scale"]) * left_BxD @ right_BxD.T
    twins_BxB = (same_B[:, None] == same_B[None]) & ~jnp.eye(len(same_B), dtype=bool)
    scores_BxB = jnp.where(twins_BxB, -1e9, scores_BxB)
    both = (jnp.diagonal(jax.nn.log_softmax(scores_BxB, axis)).mean() for axis in (0, 1))
    return -sum(both) / 2


def _train(
    config: SearchConfig,
    params: encoder.Params,
    drawn: Iterable[Int[np.ndarray, " B"]],
    views: Callable[[Int[np.ndarray, " B"]], tuple[np.ndarray, np.ndarray]],
    epochs: int,
    rate: float,
    phase: str,
    report: Callable[[Progress], None],
    same: Int[np.ndarray, " P"] | None = None,
) -> dict[str, Array]:
    done = {name: jnp.array(value, copy=True) for name, value in params.items()}  # a step takes over its inputs' memory
    state = _optimizer().init(done)
    step_number = 0
    for epoch, order in enumerate(drawn, start=1):
        batch = min(config.batch, len(order))
        steps = max(1, len(order) // batch)
        losses = []
        for number in range(steps):
            rows_B = order[number * batch : (number + 1) * batch]
            left, right = views(rows_B)
            ids_B = (rows_B if same is None else same[rows_B]).astype(np.int32)
            fade = 0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * step_number / (epochs * steps)))
            done, state, value = _step(config, done, state, left, right, ids_B, np.float32(rate * fade))
            losses.append(value)
            step_number += 1
        report(Progress(phase, epoch, epochs, float(np.mean(jax.device_get(losses))), None))
    return done


@functools.cache
def _optimizer() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b2=0.98))


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def _step(
    config: SearchConfig,
    params: dict[str, Array],
    state: optax.OptState,
    left_BxT: Array,
    right_BxT: Array,
    same_B: Array,
    rate: Array,
) -> tuple[dict[str, Array], optax.OptState, Array]:
    value, gradients = jax.value_and_grad(loss, argnums=1)(config, params, left_BxT, right_BxT, same_B)
    with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer step count
        updates, state = _optimizer().update(gradients, state, params)
    return {name: params[name] - rate * updates[name] for name in params}, state, value


def _views(
    terms_BxT: Int32[np.ndarray, "B T"], fields_BxT: Int32[np.ndarray, "B T"], chance: np.random.Generator
) -> tuple[Int32[np.ndarray, "B T"], Int32[np.ndarray, "B T"]]:
    """A part of each item, and the item with that part hidden or not.

    A part is a run of neighbours, random terms, or the fields other than the title if there are any.
    """
    rows, width = terms_BxT.shape
    real_BxT = terms_BxT > 0
    length_B = real_BxT.sum(1)
    taken_B = np.minimum(chance.integers(1, _LONGEST_PART + 1, rows), np.maximum(length_B - 1, 1))
    start_B = (chance.random(rows) * (length_B - taken_B + 1)).astype(int)
    at_T = np.arange(width)
    run_BxT = (at_T >= start_B[:, None]) & (at_T < (start_B + taken_B)[:, None])
    order_BxT = np.argsort(np.where(real_BxT, chance.random((rows, width)), 2.0), 1)
    scattered_BxT = np.zeros((rows, width), bool)
    np.put_along_axis(scattered_BxT, order_BxT, at_T < taken_B[:, None], 1)
    part_BxT = np.where(chance.random((rows, 1)) < 0.5, run_BxT, scattered_BxT) & real_BxT
    by_field_B = (chance.random(rows) < 0.3) & (fields_BxT > 0).any(1)
    hidden_BxT = part_BxT & (chance.random((rows, 1)) < 0.5) & (chance.random((rows, width)) < 0.8)
    left_BxT = np.where(by_field_B[:, None], fields_BxT, np.where(part_BxT, terms_BxT, 0))
    whole_BxT = np.where(hidden_BxT, 0, terms_BxT)
    shared_BxT = (terms_BxT[:, :, None] == fields_BxT[:, None, :]).any(2)
    title_BxT = np.where(shared_BxT, 0, terms_BxT)
    return left_BxT, np.where(by_field_B[:, None], title_BxT, whole_BxT)


def _parts(item: Item) -> tuple[str, ...]:
    attributes = (attribute.replace("=", " ") for attribute in item.attributes)
    return (item.title, item.brand or "", item.category or "", *attributes)
