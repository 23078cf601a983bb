"""One training step, and an epoch of them as one compiled scan over data that stays on the device."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Float, Float32, Int

from model.batching import roomy
from model.recommend import network
from model.recommend.config import RecommendConfig
from model.recommend.items import ItemFeatures
from model.recommend.packing import Rows
from model.recommend.training import loss
from model.recommend.training import mesh as meshes


class TrainState(NamedTuple):
    """Everything that a step changes."""

    params: dict[str, Array]
    optimizer: optax.OptState


class Catalogue(NamedTuple):
    """What a step reads about the items: their features, and the distribution that negatives are drawn from."""

    features: ItemFeatures
    drawn_T: Int[Array, " T"]  # the item of each training event: drawing one draws by popularity
    trained_S: Int[Array, " S"]  # the distinct items among them: drawing one draws uniformly
    popularity_N: Float[Array, " N"]  # the share of the training events on each item
    log_rate_N: Float[Array, " N"]  # log of the probability of each item under half of each draw


@functools.cache
def optimizer(config: RecommendConfig) -> optax.GradientTransformation:
    """AdamW (Loshchilov and Hutter 2019) with clipped gradients and a learning rate of 1: each step has its own rate.

    The same config gives the same object, so that a second training compiles nothing.
    """
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b2=0.98),
        optax.add_decayed_weights(config.weight_decay),
        # An id embedding then keeps only what the content cannot express: items without one stay comparable to others.
        optax.add_decayed_weights(config.id_decay, mask=lambda params: {name: name == "items.ids" for name in params}),
    )


def rates(config: RecommendConfig, first: int, count: int, total: int) -> Float32[np.ndarray, " S"]:
    """The learning rates of steps `first`, …: a short warm-up, then a cosine decay to a tenth at step `total`."""
    steps_S = np.arange(first, first + count, dtype=np.float32)
    warmup = max(1, min(200, total // 20))
    done_S = np.clip((steps_S - warmup) / max(total - warmup, 1), 0.0, 1.0)
    decay_S = 0.1 + 0.9 * 0.5 * (1.0 + np.cos(np.pi * done_S))
    rise_S = 0.1 + 0.9 * steps_S / warmup
    return (config.learning_rate * np.where(steps_S < warmup, rise_S, decay_S)).astype(np.float32)


def catalogue(
    features: ItemFeatures, targets_T: np.ndarray, *, mesh: Mesh | None = None, spare: bool = False
) -> Catalogue:
    """The view of the items of every device of `mesh` (default: one device).

    `targets_T` are the items of all training events (dense ids). With `spare`, the lists to draw from are a little
    longer, with some entries repeated, so that most later calls give arrays of the same shapes.
    """
    popularity_N = np.bincount(targets_T, minlength=len(features.rows_N)) / max(len(targets_T), 1)
    trained_S = np.flatnonzero(popularity_N).astype(np.int32)
    rate_N = 0.5 * popularity_N + 0.5 * (popularity_N > 0) / max(len(trained_S), 1)
    log_rate_N = np.log(np.maximum(rate_N, 1e-12)).astype(np.float32)
    popularity_N = popularity_N.astype(np.float32)
    if spare:
        targets_T, trained_S = _lengthened(targets_T), _lengthened(trained_S)
    made = Catalogue(features, targets_T.astype(np.int32), trained_S, popularity_N, log_rate_N)
    if mesh is None:
        return jax.device_put(made)
    return jax.tree.map(lambda column: meshes.place(column, meshes.everywhere(mesh)), made)


def batch_loss(
    config: RecommendConfig,
    params: network.Params,
    items: Catalogue,
    rows: Rows,
    *,
    key: Array,
    teacher: network.Params | None = None,
) -> Float[Array, ""]:
    """The mean loss of predicting, from each cell of a batch of packed rows, an item of its user's next time.

    With a `teacher`, `config.distillation` times the divergence from its logits of the items that it knows is added: on
    items that it has never seen it would only slow learning down.
    """
    hide_key, drop_key, draw_key, next_key = jax.random.split(key, 4)
    hidden_N = jax.random.bernoulli(hide_key, config.id_dropout, items.features.rows_N.shape)
    columns_RxL = _next_columns(rows, key=next_key)
    drawn_K = _draw(items, config.negatives, key=draw_key) if config.negatives else None
    gains_RxL = jnp.take_along_axis(rows.gains_RxL, columns_RxL, 1)
    weights_M = jnp.where(rows.choices_RxL > 0, gains_RxL, 0.0).reshape(-1)
    asked = _Asked(items, rows, columns_RxL, drawn_K)
    logits_MxN, targets_M = _logits(config, params, asked, hidden_N=hidden_N, key=drop_key)
    losses_M = loss.cross_entropy(logits_MxN, targets_M)
    if teacher is not None:
        said_MxN, _ = _logits(config, teacher, asked, hidden_N=None, key=None)
        known_MxN = _known(teacher, asked)
        said_MxN, heard_MxN = (jnp.where(known_MxN, logits, -jnp.inf) for logits in (said_MxN, logits_MxN))
        losses_M = losses_M + config.distillation * loss.distillation(jax.lax.stop_gradient(said_MxN), heard_MxN)
    return loss.weighted_mean(losses_M, weights_M)


class _Asked(NamedTuple):
    """What a network predicts for a batch: which cell predicts which column, among all items or some drawn ones."""

    items: Catalogue
    rows: Rows
    columns_RxL: Int[Array, "R L"]
    drawn_K: Int[Array, " K"] | None  # None: all items


def _logits(
    config: RecommendConfig, params: network.Params, asked: _Asked, *, hidden_N: Array | None, key: Array | None
) -> tuple[Float[Array, "M N"], Int[Array, " M"]]:
    """For each cell the logits of its choices, and the column of the true choice.

    `hidden_N` are the items whose id embedding is hidden; without a `key` nothing is dropped.
    """
    items, rows = asked.items, asked.rows
    model = network.bind(config, params)

    def vectors(dense_M: Array) -> Array:
        hidden_M = None if hidden_N is None else hidden_N[dense_M]
        return model.items(ItemFeatures(*(column[dense_M] for column in items.features)), hide_ids=hidden_M)

    shape = rows.items_RxL.shape
    full = asked.drawn_K is None
    catalogue_NxD = model.items(items.features, hide_ids=hidden_N) if full else None
    flat = catalogue_NxD[rows.items_RxL.reshape(-1)] if full else vectors(rows.items_RxL.reshape(-1))
    cells_RxLxD = flat.reshape(*shape, config.dim)
    users_RxLxD = model.histories(cells_RxLxD, rows.kinds_RxL, rows.seconds_RxL, rows.segments_RxL, key=key)
    users_MxD = users_RxLxD.reshape(-1, config.dim)
    targets_M = jnp.take_along_axis(rows.items_RxL, asked.columns_RxL, 1).reshape(-1)
    if full:
        # An item that nobody could choose yet must not count as a negative.
        among_N = items.popularity_N > 0
        return loss.full_logits(users_MxD, catalogue_NxD, among_N, bfloat16=_bfloat16(config)), targets_M
    true_MxD = jnp.take_along_axis(cells_RxLxD, asked.columns_RxL[..., None], 1).reshape(-1, config.dim)
    log_rate_K = items.log_rate_N[asked.drawn_K] + float(np.log(config.negatives))
    negatives_KxD = vectors(asked.drawn_K)
    logits_MxN = loss.sampled_logits(
        users_MxD, true_MxD, targets_M, negatives_KxD, asked.drawn_K, log_rate_K, bfloat16=_bfloat16(config)
    )
    return logits_MxN, jnp.zeros_like(targets_M)


def _known(teacher: network.Params, asked: _Asked) -> Bool[Array, "M N"]:
    """Which of the choices of each cell have an id embedding that the teacher has learned; all, if none has."""
    known_N = (teacher["items.ids"] != 0).any(-1)[asked.items.features.rows_N]
    if asked.drawn_K is None:
        known_MxN = jnp.broadcast_to(known_N[None, :], (asked.columns_RxL.size, len(known_N)))
    else:
        true_M = jnp.take_along_axis(asked.rows.items_RxL, asked.columns_RxL, 1).reshape(-1)
        drawn_MxK = jnp.broadcast_to(known_N[asked.drawn_K][None, :], (len(true_M), len(asked.drawn_K)))
        known_MxN = jnp.concatenate([known_N[true_M][:, None], drawn_MxK], 1)
    return known_MxN | ~known_MxN.any(1, keepdims=True)


def train_step(
    config: RecommendConfig,
    transform: optax.GradientTransformation,
    state: TrainState,
    items: Catalogue,
    rows: Rows,
    *,
    rate: Float[Array, ""],
    key: Array,
    teacher: network.Params | None = None,
) -> tuple[TrainState, dict[str, Array]]:
    """The state after one step on a batch at this learning rate, with its loss and gradient norm."""

    def loss(params: network.Params) -> Array:
        return batch_loss(config, params, items, rows, key=key, teacher=teacher)

    value, gradients = jax.value_and_grad(loss)(state.params)
    if config.adversarial:
        against = jax.grad(loss)(_perturbed(state.params, gradients, config.adversarial_radius))
        gradients = {name: gradient + config.adversarial * against[name] for name, gradient in gradients.items()}
    # Optax raises a float to an integer step count, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"):
        updates, optimizer_state = transform.update(gradients, state.optimizer, state.params)
    updates = {name: -rate * update for name, update in updates.items()}
    norm = jnp.sqrt(sum(jnp.vdot(gradient, gradient) for gradient in gradients.values()))
    state = TrainState(optax.apply_updates(state.params, updates), optimizer_state)
    return state, {"loss": value, "gradient_norm": norm}


def _perturbed(params: network.Params, gradients: network.Params, radius: float) -> network.Params:
    """`params` with every embedding moved by `radius` in the direction in which the loss grows most.

    The perturbation is that of adversarial personalised ranking (He et al. 2018, SIGIR), for all embeddings at once.
    """
    moved = {}
    for name in network.EMBEDDINGS:
        norms_Nx1 = jnp.sqrt(jnp.sum(gradients[name] ** 2, 1, keepdims=True))
        step = radius * gradients[name] / jnp.maximum(norms_Nx1, 1e-12)
        moved[name] = params[name] + jax.lax.stop_gradient(step)
    return {**params, **moved}


@functools.partial(jax.jit, static_argnums=(0, 1, 2), donate_argnums=3)
def epoch(
    config: RecommendConfig,
    transform: optax.GradientTransformation,
    mesh: Mesh,
    state: TrainState,
    items: Catalogue,
    rows: Rows,
    order_SxB: Int[Array, "S B"],
    rates_S: Float[Array, " S"],
    key: Array,
    teacher: network.Params | None = None,
) -> tuple[TrainState, Float[Array, " S"]]:
    """The state after one step for each row of `order_SxB`, which has the packed rows of a batch; and the losses.

    The arrays are on `mesh`; the number of rows, and of rows in a batch, is a multiple of its devices.
    """
    shardings = meshes.shardings(mesh, state)

    def step(state: TrainState, turn: tuple[Array, Array, Array]) -> tuple[TrainState, Array]:
        rows_B, rate, step_key = turn
        batch = jax.lax.with_sharding_constraint(Rows(*(column[rows_B] for column in rows)), meshes.by_rows(mesh))
        state, report = train_step(config, transform, state, items, batch, rate=rate, key=step_key, teacher=teacher)
        return jax.lax.with_sharding_constraint(state, shardings), report["loss"]

    state, losses_S = jax.lax.scan(step, state, (order_SxB, rates_S, jax.random.split(key, order_SxB.shape[0])))
    return state, jax.lax.with_sharding_constraint(losses_S, meshes.everywhere(mesh))


def _next_columns(rows: Rows, *, key: Array) -> Int[Array, "R L"]:
    """For each cell one of the cells of its user's next time, at random; any cell if there is none."""
    share_RxL = jax.random.uniform(key, rows.items_RxL.shape)
    chosen_RxL = (share_RxL * rows.choices_RxL.astype(jnp.float32)).astype(jnp.int32)
    chosen_RxL = jnp.minimum(chosen_RxL, jnp.maximum(rows.choices_RxL - 1, 0))
    columns_RxL = jnp.arange(rows.items_RxL.shape[1])[None, :] + rows.ahead_RxL + chosen_RxL
    return jnp.minimum(columns_RxL, rows.items_RxL.shape[1] - 1)


def _draw(items: Catalogue, count: int, *, key: Array) -> Int[Array, " K"]:
    popular_key, uniform_key = jax.random.split(key)
    popular = jax.random.randint(popular_key, (count - count // 2,), 0, items.drawn_T.shape[0])
    uniform = jax.random.randint(uniform_key, (count // 2,), 0, items.trained_S.shape[0])
    return jnp.concatenate([items.drawn_T[popular], items.trained_S[uniform]])


def _lengthened(drawn_T: np.ndarray) -> np.ndarray:
    more = roomy(len(drawn_T)) - len(drawn_T)
    return np.append(drawn_T, np.random.default_rng(len(drawn_T)).choice(drawn_T, more))


def _bfloat16(config: RecommendConfig) -> bool:
    return jax.default_backend() != "cpu" if config.bfloat16 is None else config.bfloat16
