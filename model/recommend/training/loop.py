"""The training loop: epochs over packed rows, stopped by validation or the clock, resumable after each epoch.

It runs on a mesh of devices. In a group of processes each runs the same loop; the first one validates, keeps the state,
reports, and decides how many epochs there are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
import optax
from jax.sharding import Mesh

from model.recommend import network, packing
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.items import ItemFeatures
from model.recommend.training import coordination, step
from model.recommend.training import mesh as meshes
from model.recommend.training.mesh import Placement


class Progress(NamedTuple):
    """One finished epoch. `ndcg` is the validation NDCG@10; None without held-out cases, and in the refit."""

    phase: str  # "train" or "refit"
    epoch: int
    epochs: int
    loss: float
    ndcg: float | None


class Checkpoint(Protocol):
    """Where a phase keeps its state after each epoch; `checkpoints.Checkpoints` is one in a folder."""

    def load(self) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """The last state that was saved whole, None before the first time."""

    def save(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Keeps a state from which the training can go on."""


@dataclass(frozen=True)
class Phase:
    """What one pass of training learns from, and for how long: events up to `end_U`, of them those in `mask_E`."""

    name: str
    config: RecommendConfig
    epochs: int
    events: Interactions
    start_U: np.ndarray
    end_U: np.ndarray
    mask_E: np.ndarray
    features: ItemFeatures
    seed: int
    minutes: float | None = None
    rows: packing.Rows | None = None  # what to train on, if it is not each user's whole history
    optimizer: optax.OptState | None = None  # the state to continue from; new otherwise
    teacher: network.Params | None = None


@dataclass
class Run:
    """The progress of a phase. `params` are the best by validation, or the last without one, in the host's memory."""

    params: network.Params
    state: step.TrainState  # on the mesh while it runs, then whole in the host's memory
    history: list[Progress]
    examples: int = 0  # predictions in one epoch
    cells: int = 0  # of the packed rows of an epoch: context and padding cost as much as what is learned
    epoch_seconds: list[float] = field(default_factory=list)  # in steps; the first compiles

    @property
    def seconds_per_epoch(self) -> float:
        """The median time of an epoch's steps, without validation; without the first epoch, if there are others."""
        return float(np.median(self.epoch_seconds[1:] or self.epoch_seconds))


def run(
    phase: Phase,
    params: network.Params,
    *,
    validate: Callable[[network.Params], float | None] = lambda _: None,
    report: Callable[[Progress], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
    mesh: Mesh | None = None,
) -> Run:
    """Trains from `params` until the epochs, the patience or the minutes are used up, on all devices or on `mesh`.

    If the minutes are too few for all epochs, the learning rate falls over those that fit. With a `checkpoint`, a phase
    that was killed continues after its last finished epoch, and ends with the same parameters, even on another number
    of devices. Raises DataError in a process that has other data than the first one of its group.
    """
    began = time.monotonic()
    placement = Placement.for_params(mesh or meshes.all_devices(), params)
    batches = _Batches.build(phase, placement)
    transform = step.optimizer(phase.config)
    made = _begun(phase, params, placement, transform, batches)
    _restore(made, placement, checkpoint)
    epochs = phase.epochs
    while len(made.history) < epochs and not _is_stale(made.history, phase.config.patience):
        epoch = len(made.history) + 1
        started = time.monotonic()
        losses_S = _epoch(phase, placement.mesh, batches, made, transform, epoch, epochs)
        made.epoch_seconds.append(time.monotonic() - started)
        params = placement.fetch(made.state.params)
        progress = Progress(phase.name, epoch, epochs, float(losses_S.mean()), _validated(validate, params))
        made.history.append(progress)
        if progress.ndcg is None or progress.ndcg >= _best(made.history):
            made.params = params
        _keep(made, placement, checkpoint)
        if coordination.leads():
            report(progress)
        epochs = coordination.first(partial(_allowed, phase, epoch, began, started))
    made.state = placement.fetch(made.state)
    return made


class _Batches(NamedTuple):
    rows: packing.Rows
    items: step.Catalogue
    count: int  # rows, without empty ones
    size: int
    steps: int
    examples: int
    teacher: network.Params | None

    @staticmethod
    def build(phase: Phase, placement: Placement) -> _Batches:
        config, mesh = phase.config, placement.mesh
        rows = phase.rows
        if rows is None:
            start_S, end_S, begins_S = packing.windows(phase.start_U, phase.end_U, config.history)
            rows = packing.pack(phase.events, start_S, end_S, config, begins_S=begins_S).rows
        targets_T = phase.events.items_E[phase.mask_E]
        coordination.require_same(repr((config, phase.seed)), [*rows, *phase.features, targets_T])
        count = len(rows.items_RxL)
        size = min(config.batch_rows, count)
        examples = int((rows.choices_RxL > 0).sum())
        # One additional empty row, for batches that cannot be divided over the devices.
        kept = count if size % mesh.size == 0 else count + 1
        rows = packing.padded(rows, meshes.divisible(mesh, kept))
        placed = packing.Rows(*(meshes.place(column, meshes.by_rows(mesh)) for column in rows))
        items = step.catalogue(phase.features, targets_T, mesh=mesh, spare=phase.rows is not None)
        teacher = None if phase.teacher is None else placement.put(dict(phase.teacher))
        return _Batches(placed, items, count, size, -(-count // size), examples, teacher)

    def order(self, phase: Phase, epoch: int, mesh: Mesh) -> np.ndarray:
        """The rows of each batch ("S B"), padded with empty rows to a multiple of the devices.

        The padding is at the end, so it changes neither the random draws nor the loss.
        """
        order = np.random.default_rng((phase.seed, epoch)).permutation(self.count)
        order_SxB = np.resize(order, (self.steps, self.size)).astype(np.int32)
        empty = meshes.divisible(mesh, self.size) - self.size
        return np.pad(order_SxB, ((0, 0), (0, empty)), constant_values=self.count)


def _begun(phase: Phase, params: network.Params, placement: Placement, transform: Any, batches: _Batches) -> Run:
    placed = placement.put(dict(params))
    if phase.optimizer is None:
        moments = jax.eval_shape(transform.init, placed)
        moments = jax.jit(transform.init, out_shardings=meshes.shardings(placement.mesh, moments))(placed)
    else:
        moments = placement.put(phase.optimizer)
    return Run(params, step.TrainState(placed, moments), [], batches.examples, batches.count * phase.config.row)


def _epoch(
    phase: Phase, mesh: Mesh, batches: _Batches, made: Run, transform: Any, epoch: int, epochs: int
) -> np.ndarray:
    order_SxB = batches.order(phase, epoch, mesh)
    rates_S = step.rates(phase.config, (epoch - 1) * batches.steps, batches.steps, epochs * batches.steps)
    key = jax.random.fold_in(jax.random.key(phase.seed), epoch)
    made.state, losses_S = step.epoch(
        phase.config, transform, mesh, made.state, batches.items, batches.rows, order_SxB, rates_S, key, batches.teacher
    )
    return np.asarray(losses_S)


def _validated(validate: Callable[[network.Params], float | None], params: network.Params) -> float | None:
    return coordination.first(lambda: validate(params))


def _best(history: list[Progress]) -> float:
    return max((report.ndcg for report in history if report.ndcg is not None), default=-math.inf)


def _is_stale(history: list[Progress], patience: int) -> bool:
    """Whether the last `patience` epochs brought no better validation."""
    measured = [report.ndcg for report in history if report.ndcg is not None]
    return len(measured) > patience and max(measured[-patience:]) <= max(measured[:-patience])


def _allowed(phase: Phase, epoch: int, began: float, started: float) -> int:
    """How many epochs there are in all, by the minutes, if each further one takes as long as the last.

    It may rise again: the first epoch also compiles, and would make the others seem as slow.
    """
    if phase.minutes is None:
        return phase.epochs
    now = time.monotonic()
    left = 60.0 * phase.minutes - (now - began)
    return min(phase.epochs, epoch + max(int(left / max(now - started, 1e-3)), 0))


def _keep(made: Run, placement: Placement, checkpoint: Checkpoint | None) -> None:
    if checkpoint is None:
        return
    arrays = {f"best/{name}": value for name, value in made.params.items()}
    arrays |= {f"state/{n}": leaf for n, leaf in enumerate(jax.tree.leaves(placement.fetch(made.state)))}
    facts = {"history": [list(report) for report in made.history], "epoch_seconds": made.epoch_seconds}
    if coordination.leads():
        checkpoint.save(arrays, facts)


def _restore(made: Run, placement: Placement, checkpoint: Checkpoint | None) -> None:
    """Loads the state that the first process saved, padded for these devices: it was saved without padding."""
    if checkpoint is None:
        return
    arrays, facts = (checkpoint.load() if coordination.leads() else None) or (None, None)
    facts = coordination.first(lambda: facts)
    if facts is None:
        return
    fresh = placement.fetch(made.state)
    leaves, structure = jax.tree.flatten(fresh)
    like = {f"best/{name}": value for name, value in fresh.params.items()}
    like |= {f"state/{n}": leaf for n, leaf in enumerate(leaves)}
    arrays = coordination.first_arrays(arrays, like)
    made.state = placement.put(jax.tree.unflatten(structure, [arrays[f"state/{n}"] for n in range(len(leaves))]))
    made.params = {name: arrays[f"best/{name}"] for name in made.params}
    made.history = [Progress(*report) for report in facts["history"]]
    made.epoch_seconds = list(facts["epoch_seconds"])
