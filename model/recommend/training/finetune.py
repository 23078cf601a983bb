"""Incremental fine-tuning: the live weights are trained further, on new events mixed with replayed older ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool

from model.artifact import Artifact
from model.batching import roomy
from model.catalogue import Item
from model.errors import DataError
from model.recommend import config as configs
from model.recommend import events as event_arrays
from model.recommend import packing, recency_popularity, split, weights
from model.recommend.blend import Blend
from model.recommend.config import RecommendConfig
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.events import Interactions
from model.recommend.items import ItemFeatures
from model.recommend.packing import Rows
from model.recommend.training import loop, step, train
from model.recommend.training.loop import Checkpoint, Phase, Progress, Run
from model.recommend.training.rehearsal import exemplars
from model.recommend.training.train import Trial
from model.recommend.weights import KIND

PHASE = "finetune"

_BLENDED = "blended"
_TRAINED = 1_000.0
"""How many items in new baskets the blend of a full training counts as: few, since it was fitted to all times."""

Tree = TypeVar("Tree")


@dataclass(frozen=True)
class Learned:
    """A model that can be updated: what ranks, and the optimizer's moments.

    Its blend is the mean over `blended` items in new baskets of users with a history.
    """

    scorer: Scorer
    optimizer: optax.OptState
    blended: float = _TRAINED


@dataclass(frozen=True)
class Update:
    """A model after an update, and the run of the update."""

    learned: Learned
    run: Run


def from_trial(trial: Trial) -> Learned:
    """The model of a finished training, ready for updates."""
    return Learned(trial.scorer, trial.run.state.optimizer)


def restored(saved: Artifact, items: Sequence[Item], moments: Mapping[str, np.ndarray] | None = None) -> Learned:
    """The saved model over the catalogue `items`, which must include every item that it was trained on.

    `moments` are the result of `moments_of`; without them the optimizer starts from zero. Raises DataError for a
    trained item that is missing, and for moments of other shapes.
    """
    config = configs.from_json(saved.config)
    trained = weights.unpack(saved.params)
    known_T = _places(saved.ids, items)
    features = train.features_of(items, known_T, config)
    tables = weights.onto(trained.tables, known_T, len(items))
    params = jax.device_put(trained.network, may_alias=False)
    optimizer = step.optimizer(config).init(params)
    if moments is not None:
        optimizer = _filled(optimizer, moments)
    faded_N = weights.faded_onto(trained.faded_T, known_T, len(items))
    blended = float((moments or {}).get(_BLENDED, _TRAINED))
    return Learned(Scorer(config, params, features, trained.blend, *tables, faded_N), optimizer, blended)


def moments_of(learned: Learned) -> dict[str, np.ndarray]:
    """What an update continues from, as flat arrays to be saved next to the model.

    The optimizer's state, and the number of items that the blend is the mean over.
    """
    moments = {str(n): np.asarray(leaf) for n, leaf in enumerate(jax.tree.leaves(learned.optimizer))}
    return moments | {_BLENDED: np.float64(learned.blended)}


def saved(learned: Learned, items: Sequence[Item], metrics: Mapping[str, Any]) -> Artifact:
    """The model as the artifact that is saved and served."""
    scorer = learned.scorer
    rows_N = scorer.features.rows_N
    known_T = np.argsort(rows_N, kind="stable")[int((rows_N == 0).sum()) :]
    return Artifact(
        kind=KIND,
        params=weights.pack(scorer.params, scorer.blend, scorer.tables, scorer.faded_N, known_T),
        config=configs.to_json(scorer.config),
        ids=tuple(items[n].item_id for n in known_T.tolist()),
        metrics=dict(metrics),
    )


def _places(item_ids: Sequence[str], items: Sequence[Item]) -> np.ndarray:
    place = {item.item_id: n for n, item in enumerate(items)}
    missing = [item_id for item_id in item_ids if item_id not in place]
    if missing:
        raise DataError(f"the catalogue lacks {len(missing)} trained items, such as {missing[0]!r}; add them to it")
    return np.array([place[item_id] for item_id in item_ids], np.int64)


def _filled(optimizer: optax.OptState, moments: Mapping[str, np.ndarray]) -> optax.OptState:
    fresh, shape = jax.tree.flatten(optimizer)
    leaves = [moments[str(n)] for n in range(len(fresh)) if str(n) in moments]
    if [np.shape(leaf) for leaf in leaves] != [np.shape(leaf) for leaf in fresh]:
        raise DataError("the optimizer's moments are of another model; leave them out to begin with fresh ones")
    return jax.device_put(jax.tree.unflatten(shape, leaves), may_alias=False)


def update(
    learned: Learned,
    events: Interactions,
    new_E: Bool[np.ndarray, " E"],
    features: ItemFeatures,
    *,
    seed: int = 0,
    minutes: float | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
) -> Update:
    """The model after it has learned from the events of `new_E`, which it did not know.

    `events` are all that it may know now, by user and time. `features` are those of the whole catalogue, where items
    have the dense ids they had before; the rows of the id table there do not matter. A new item gets an embedding that
    starts at zero, so it is first ranked by its content.

    The result is between the old weights and the trained ones, the nearer to the latter the more events are new:
    halfway at `config.finetune_half` new events. That keeps what both know (Wortsman et al. 2022, CVPR, on fine-tuning
    weights and averaging them). The blend is a running mean of the blends that best predict each update's events before
    anything learns from them. Optionally, `config.replay` older events are replayed for each new one, and
    `config.distillation` keeps the network near its earlier output (Li and Hoiem 2016, ECCV).
    """
    config = learned.scorer.config
    blend, blended = _blend(learned, events, new_E, features, seed)
    grown = _grown(learned, events, features)
    rows, learn_E = _rows(events, new_E, config, seed)
    start_U, end_U = event_arrays.spans(events)
    phase = Phase(
        PHASE,
        configs.replace(config, learning_rate=config.finetune_rate * config.learning_rate),
        config.finetune_epochs,
        events,
        start_U,
        end_U,
        learn_E,
        grown.scorer.features,
        seed,
        minutes,
        rows=rows,
        optimizer=grown.optimizer,
        teacher=grown.scorer.params if config.distillation else None,
    )
    run = loop.run(phase, grown.scorer.params, report=report, checkpoint=checkpoint)
    all_E, catalogue = np.ones(len(new_E), bool), len(features.rows_N)
    counted = train.count_transitions(events, all_E, catalogue, config)
    near = train.fit_neighbours(events, all_E, catalogue, config, seed=seed)
    new = int(new_E.sum())
    share = config.finetune_share * new / (new + config.finetune_half)
    mean = _between(dict(grown.scorer.params), dict(run.params), share)
    params = jax.device_put(mean, may_alias=False)
    faded_N = recency_popularity.faded(events, catalogue, config)
    scorer = replace(grown.scorer, params=params, blend=blend, transitions=counted, neighbours=near, faded_N=faded_N)
    return Update(Learned(scorer, run.state.optimizer, blended), run)


def _between(before: Tree, trained: Tree, share: float) -> Tree:
    """The numbers `share` of the way from those before an update to those after it."""
    between: Tree = jax.tree.map(lambda old, new: old + share * (new - old), before, trained)
    return between


def _blend(
    learned: Learned, events: Interactions, new_E: np.ndarray, features: ItemFeatures, seed: int
) -> tuple[Blend, float]:
    """The blend, moved towards the one that best predicts the new events, and the number of items it is the mean over.

    That number is at most `config.blend_memory`. So the first updates move it most, and later a slow day moves it
    little.
    """
    scorer, config = learned.scorer, learned.scorer.config
    since = float(events.at_E[new_E].min(initial=np.inf))
    cases = split.in_window(events, config, since=since, until=np.inf)
    wanted = sum(map(len, cases.truth))
    if not wanted:
        return scorer.blend, learned.blended
    cases = train.sample(cases, config.validation_users, seed)
    known = replace(
        scorer,
        features=features._replace(rows_N=_rows_of(scorer, features)),
        faded_N=recency_popularity.faded(events, len(features.rows_N), config, at=since),
    )
    fitted = train.fit_blend(events, cases, known, seed=seed, start=scorer.blend)
    blended = min(learned.blended + wanted, config.blend_memory)
    return _between(scorer.blend, fitted, min(wanted / blended, 1.0)), blended


def _grown(learned: Learned, events: Interactions, features: ItemFeatures) -> Learned:
    """The same with a row of the id table for every item in the events.

    The table grows by up to a quarter at once, so that most updates have the shapes of the one before.
    """
    rows_N = _rows_of(learned.scorer, features)
    named = np.unique(events.items_E)
    fresh = named[rows_N[named] == 0]
    rows_N[fresh] = rows_N.max(initial=0) + 1 + np.arange(len(fresh), dtype=np.int32)
    size = roomy(int(rows_N.max(initial=0)) + 1)

    def widened(path: tuple[Any, ...], leaf: jax.Array) -> jax.Array:
        if not path or getattr(path[-1], "key", None) != "items.ids" or leaf.shape[0] >= size:
            return leaf
        return jnp.zeros((size, *leaf.shape[1:]), leaf.dtype).at[: leaf.shape[0]].set(leaf)

    params = jax.tree_util.tree_map_with_path(widened, dict(learned.scorer.params))
    optimizer = jax.tree_util.tree_map_with_path(widened, learned.optimizer)
    scorer = replace(learned.scorer, params=params, features=features._replace(rows_N=rows_N))
    return replace(learned, scorer=scorer, optimizer=optimizer)


def _rows_of(scorer: Scorer, features: ItemFeatures) -> np.ndarray:
    """The row of the id table of each item of a catalogue that may have grown."""
    rows_N = np.zeros(len(features.rows_N), np.int32)
    rows_N[: len(scorer.features.rows_N)] = scorer.features.rows_N
    return rows_N


def _rows(
    events: Interactions, new_E: np.ndarray, config: RecommendConfig, seed: int
) -> tuple[Rows, Bool[np.ndarray, " E"]]:
    """The packed histories that end in new events, and the replayed ones; and which of their events are learned."""
    start_S, end_S, begins_S = packing.windows(*event_arrays.spans(events), config.history)
    before_E = np.append(0, np.cumsum(new_E))
    new_S = before_E[end_S] - before_E[start_S]
    fresh_S = new_S > 0
    learn_E = new_E
    chosen = np.flatnonzero(fresh_S)
    if config.replay > 0:
        older = np.flatnonzero(~fresh_S)
        budget = int(config.replay * new_S.sum())
        spans = start_S[older], end_S[older]
        replayed = older[exemplars(events, *spans, budget=budget, half_life=config.replay_days, seed=seed)]
        # Older events next to new ones are only context: they are many, and would outweigh the new ones if learned.
        learn_E = new_E.copy()
        for start, end in zip(start_S[replayed], end_S[replayed], strict=True):
            learn_E[start:end] = True
        chosen = np.concatenate([chosen, replayed])
    packed = packing.pack(events, start_S[chosen], end_S[chosen], config, begins_S=begins_S[chosen], learn_E=learn_E)
    return packing.padded(packed.rows, roomy(len(packed.rows.items_RxL))), learn_E
