"""The training loop: epochs over packed rows, stopped by validation or the clock, resumable after each epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
import optax

from model.recommend import layers, packing, step
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.items import ItemFeatures


class Progress(NamedTuple):
    """One finished epoch. `ndcg` is the validation NDCG@10; None without held-out cases, and in the refit."""

    phase: str  # "train" or "refit"
    epoch: int
    epochs: int
    loss: float
    ndcg: float | None


class Checkpoint(Protocol):
    """Where a phase keeps its state after each epoch; `artifact.FileCheckpoint` is one in a file."""

    def load(self) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """What was saved last, None before the first time."""

    def save(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Replaces what was saved."""


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
    rows: packing.Rows | None = None  # what to train on, where it is not each user's whole history
    optimizer: optax.OptState | None = None  # where to go on from; fresh otherwise
    teacher: layers.Params | None = None


@dataclass
class Run:
    """How far a phase has come. `params` are the best by validation, or the last without one."""

    params: layers.Params
    state: step.TrainState
    history: list[Progress]
    examples: int = 0  # predictions in one epoch
    cells: int = 0  # of the packed rows that an epoch goes through: context and padding cost as much as what is learned
    epoch_seconds: list[float] = field(default_factory=list)  # in steps; the first compiles

    @property
    def seconds_per_epoch(self) -> float:
        """The median time of an epoch's steps, without validation; without the first one, if there are others."""
        return float(np.median(self.epoch_seconds[1:] or self.epoch_seconds))


def run(
    phase: Phase,
    params: layers.Params,
    *,
    validate: Callable[[layers.Params], float | None] = lambda _: None,
    report: Callable[[Progress], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
) -> Run:
    """Trains from `params`, whose buffers it takes, until the epochs, the patience or the minutes are used up.

    With minutes too few for all epochs, the learning rate falls over those that fit. With a `checkpoint`, a phase
    that was killed goes on after its last finished epoch, and ends with the same parameters.
    """
    began = time.monotonic()
    batches = _Batches.of(phase)
    transform = step.optimizer(phase.config)
    moments = transform.init(dict(params)) if phase.optimizer is None else phase.optimizer
    made = Run(params, step.TrainState(dict(params), moments), [], batches.examples, batches.rows.items_RxL.size)
    _restore(made, checkpoint)
    epochs = phase.epochs
    while len(made.history) < epochs and not _is_stale(made.history, phase.config.patience):
        epoch = len(made.history) + 1
        started = time.monotonic()
        losses_S = _epoch(phase, batches, made, transform, epoch, epochs)
        made.epoch_seconds.append(time.monotonic() - started)
        progress = Progress(phase.name, epoch, epochs, float(losses_S.mean()), validate(made.state.params))
        made.history.append(progress)
        if progress.ndcg is None or progress.ndcg >= _best(made.history):
            # A copy, because the next epoch takes over the buffers of its state.
            made.params = {name: np.array(value) for name, value in made.state.params.items()}
        _keep(made, checkpoint)
        report(progress)
        # Not lowered for good: the first epoch also compiles, and would make the others seem as slow.
        epochs = min(phase.epochs, _affordable(phase, epoch, began, started))
    return made


class _Batches(NamedTuple):
    rows: packing.Rows
    items: step.Catalogue
    count: int
    size: int
    steps: int
    examples: int

    @staticmethod
    def of(phase: Phase) -> _Batches:
        config = phase.config
        rows = phase.rows
        if rows is None:
            start_S, end_S, begins_S = packing.windows(phase.start_U, phase.end_U, config.history)
            rows = packing.pack(phase.events, start_S, end_S, config, begins_S=begins_S).rows
        count = len(rows.items_RxL)
        size = min(config.batch_rows, count)
        items = step.catalogue(phase.features, phase.events.items_E[phase.mask_E], spare=phase.rows is not None)
        examples = int((rows.choices_RxL > 0).sum())
        return _Batches(jax.device_put(rows), items, count, size, -(-count // size), examples)


def _epoch(phase: Phase, batches: _Batches, made: Run, transform: Any, epoch: int, epochs: int) -> np.ndarray:
    order = np.random.default_rng((phase.seed, epoch)).permutation(batches.count)
    order_SxB = np.resize(order, (batches.steps, batches.size)).astype(np.int32)
    rates_S = step.rates(phase.config, (epoch - 1) * batches.steps, batches.steps, epochs * batches.steps)
    key = jax.random.fold_in(jax.random.key(phase.seed), epoch)
    made.state, losses_S = step.epoch(
        phase.config, transform, made.state, batches.items, batches.rows, order_SxB, rates_S, key, phase.teacher
    )
    return np.asarray(losses_S)


def _best(history: list[Progress]) -> float:
    return max((report.ndcg for report in history if report.ndcg is not None), default=-math.inf)


def _is_stale(history: list[Progress], patience: int) -> bool:
    """Whether the last `patience` epochs brought no better validation."""
    measured = [report.ndcg for report in history if report.ndcg is not None]
    return len(measured) > patience and max(measured[-patience:]) <= max(measured[:-patience])


def _affordable(phase: Phase, epoch: int, began: float, started: float) -> int:
    """How many epochs the minutes allow in all, when each further one takes as long as the last."""
    if phase.minutes is None:
        return phase.epochs
    now = time.monotonic()
    left = 60.0 * phase.minutes - (now - began)
    return epoch + max(int(left / max(now - started, 1e-3)), 0)


def _keep(made: Run, checkpoint: Checkpoint | None) -> None:
    if checkpoint is None:
        return
    arrays = {f"best/{name}": np.asarray(value) for name, value in made.params.items()}
    arrays |= {f"state/{n}": np.asarray(leaf) for n, leaf in enumerate(jax.tree.leaves(made.state))}
    facts = {"history": [list(report) for report in made.history], "epoch_seconds": made.epoch_seconds}
    checkpoint.save(arrays, facts)


def _restore(made: Run, checkpoint: Checkpoint | None) -> None:
    saved = None if checkpoint is None else checkpoint.load()
    if saved is None:
        return
    arrays, facts = saved
    leaves = [arrays[f"state/{n}"] for n in range(len(jax.tree.leaves(made.state)))]
    made.state = jax.device_put(jax.tree.unflatten(jax.tree.structure(made.state), leaves), may_alias=False)
    made.params = {name: arrays[f"best/{name}"] for name in made.params}
    made.history = [Progress(*report) for report in facts["history"]]
    made.epoch_seconds = list(facts["epoch_seconds"])
