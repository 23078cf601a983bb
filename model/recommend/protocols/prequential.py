"""Test, then train, window by window: what updates are worth, compared with no updates and with full trainings.

Every basket is ranked by models that know nothing from its window on; then each arm learns from the window in its own
way (Gama, Sebastião and Rodrigues 2013, Machine Learning 90, on prequential evaluation).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from model.catalogue import Item
from model.errors import ConfigError, DataError
from model.recommend import config as configs
from model.recommend import events as event_arrays
from model.recommend import items, recency_popularity, split
from model.recommend.config import RecommendConfig
from model.recommend.evaluation import evaluate
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.events import Interactions
from model.recommend.items import ItemFeatures
from model.recommend.split import Holdout
from model.recommend.training import finetune, train
from model.recommend.training.finetune import Learned
from model.recommend.training.loop import Run

FROZEN, NAIVE, INCREMENTAL, RETRAINED = "frozen", "naive", "incremental", "retrained"
ARMS = (FROZEN, NAIVE, INCREMENTAL, RETRAINED)
"""Never updated; fine-tuned only on new events; updated as in production; trained from scratch on everything."""

_ALL_OF_THE_WAY = {
    "replay": 0.0,
    "distillation": 0.0,
    "finetune_share": 1.0,
    "finetune_half": 1.0,
    "blend_memory": 1.0,
}

# Share of the users that nobody learns from: how well their baskets are predicted can be measured again later.
_RESERVED = 0.1
# Cost of the teacher's forward pass relative to the student's forward and backward pass, which costs three of them.
_TEACHER = 1 / 3


@dataclass(frozen=True)
class Asked:
    """How to go through the events: `window` seconds between updates, from `start` (unix seconds) on.

    Without a `start`, two fifths of the events come before it. `minutes` bound each training from scratch.
    """

    window: float
    start: float | None = None
    arms: Sequence[str] = ARMS
    seed: int = 0
    minutes: float | None = None


class Score(NamedTuple):
    """One arm's figures on one window, and the cost of learning from that window afterwards.

    `cells` are the cells of packed rows that training went through, `seconds` the wall time of the whole update.
    """

    arm: str
    since: float
    cases: int
    ndcg: float
    hit_rate: float
    new_cases: int  # with an item that the first training had not seen
    new_recall: float
    cells: float
    seconds: float


class Retention(NamedTuple):
    """NDCG@10 on the baskets of reserved users of all windows: soon after their window was learned, and at the end."""

    cases: int
    then: float
    now: float

    @property
    def change(self) -> float:
        """The relative change; negative is forgetting."""
        return self.now / self.then - 1 if self.then else float("nan")


@dataclass(frozen=True)
class Outcome:
    """All scores, window by window, and each arm's retention."""

    scores: list[Score]
    retention: dict[str, Retention]
    pretraining_cells: float  # of the first training, with which all arms start

    def for_arm(self, arm: str) -> list[Score]:
        """The scores of one arm, in time order."""
        return [score for score in self.scores if score.arm == arm]

    def total(self, arm: str) -> dict[str, float]:
        """One arm's figures over all baskets, and the total cost of its updates."""
        scores, kept = self.for_arm(arm), self.retention[arm]
        cases = sum(score.cases for score in scores)
        new = [score for score in scores if score.new_cases]
        return {
            "ndcg@10": sum(score.cases * score.ndcg for score in scores) / cases,
            "hit_rate@10": sum(score.cases * score.hit_rate for score in scores) / cases,
            "new_item_recall@10": (
                sum(score.new_cases * score.new_recall for score in new) / sum(score.new_cases for score in new)
                if new
                else float("nan")
            ),
            "retention_then": kept.then,
            "retention_now": kept.now,
            "retention_change": kept.change,
            "cells": sum(score.cells for score in scores),
            "seconds": sum(score.seconds for score in scores),
            "cases": float(cases),
        }


@dataclass
class _Arm:
    name: str
    learned: Learned
    then: list[float] = field(default_factory=list)  # a figure for each reserved case so far


class _Stream(NamedTuple):
    """The data, by user and time, with dense ids in order of first appearance."""

    events: Interactions
    reserved_E: Bool[np.ndarray, " E"]
    items: list[Item]
    features: ItemFeatures
    born_N: Float[np.ndarray, " N"]  # time of the item's first event; -inf if it has none
    config: RecommendConfig
    asked: Asked

    def before(self, until: float) -> Interactions:
        """The events before this time."""
        return event_arrays.take(self.events, (self.events.at_E < until) & ~self.reserved_E)


def run(
    interactions: Interactions,
    catalogue: Sequence[Item],
    config: RecommendConfig,
    asked: Asked,
    *,
    report: Callable[[Score], None] = lambda _: None,
) -> Outcome:
    """Trains on the events before the start, then tests and updates every arm window by window.

    An item is ranked from the window of its first event on. Raises ConfigError for an unknown arm, and DataError if
    nothing is left to learn from or to test on.
    """
    unknown = [arm for arm in asked.arms if arm not in ARMS]
    if unknown:
        raise ConfigError(f"unknown arm {unknown[0]!r}; known: {', '.join(ARMS)}")
    usable = train.usable(interactions, catalogue, config)
    start = float(np.quantile(usable.at_E, 0.4)) if asked.start is None else asked.start
    stream = _stream(usable, catalogue, config, asked)
    if not len(stream.before(start).users_E):
        raise DataError("no event comes before the start: choose a later one")
    first, runs = _trained(stream, start)
    arms = [_Arm(name, first) for name in asked.arms]
    scores: list[Score] = []
    kept: list[_Old] = []
    for since in np.arange(start, float(stream.events.at_E.max()) + 1e-6, asked.window).tolist():
        until = since + asked.window
        holdout = split.in_window(stream.events, config, since=since, until=until)
        kept.append(_old(stream, holdout, since, until))
        for arm in arms:
            figures = _tested(stream, arm.learned.scorer, holdout, until, start)
            cells, seconds = _learn(stream, arm, since, until)
            arm.then += _ndcg(stream, arm.learned.scorer, kept[-1]).tolist()
            if figures is not None:
                scores.append(Score(arm.name, since, *figures, cells, seconds))
                report(scores[-1])
    if not scores:
        raise DataError("no basket of a user with a history comes after the start: choose an earlier one")
    return Outcome(scores, {arm.name: _retention(stream, arm, kept) for arm in arms}, _cells(runs))


def _stream(usable: Interactions, catalogue: Sequence[Item], config: RecommendConfig, asked: Asked) -> _Stream:
    born_N = np.full(len(catalogue), np.inf)
    np.minimum.at(born_N, usable.items_E, usable.at_E)
    born_N[np.isinf(born_N)] = -np.inf
    order_N = np.argsort(born_N, kind="stable")
    place_N = np.empty(len(order_N), np.int32)
    place_N[order_N] = np.arange(len(order_N))
    events = event_arrays.ordered(usable._replace(items_E=place_N[usable.items_E]))
    users = np.unique(events.users_E)
    reserved = users[np.random.default_rng(asked.seed).random(len(users)) < _RESERVED]
    ordered = [catalogue[n] for n in order_N.tolist()]
    features = train.trimmed(items.features(ordered, {}, config))
    return _Stream(events, np.isin(events.users_E, reserved), ordered, features, born_N[order_N], config, asked)


def _trained(stream: _Stream, until: float) -> tuple[Learned, list[Run]]:
    """A model trained from scratch on everything before `until`."""
    asked = stream.asked
    parts = split.by_time(stream.before(until), stream.config, cut=until, seed=asked.seed)
    rows_N = np.zeros(len(stream.items), np.int32)
    named = np.unique(parts.events.items_E)
    rows_N[named] = np.arange(1, len(named) + 1)
    features = stream.features._replace(rows_N=rows_N)
    trial = train.learn(parts, features, stream.config, seed=asked.seed, minutes=asked.minutes, of_now=True)
    refitted = train.refit(trial, features, parts.refit_end_U, seed=asked.seed, minutes=asked.minutes)
    return finetune.from_trial(refitted), [trial.run, refitted.run]


def _learn(stream: _Stream, arm: _Arm, since: float, until: float) -> tuple[float, float]:
    """Updates the arm with a window in its way; returns the cells and seconds that it took."""
    began = time.monotonic()
    if arm.name == FROZEN:
        return 0.0, 0.0
    if arm.name == RETRAINED:
        arm.learned, runs = _trained(stream, until)
        return _cells(runs), time.monotonic() - began
    known = stream.before(until)
    new_E = known.at_E >= since
    if not new_E.any():
        return 0.0, 0.0
    config = stream.config
    if arm.name == NAIVE:
        config = configs.replace(config, **_ALL_OF_THE_WAY)
    learned = replace(arm.learned, scorer=replace(arm.learned.scorer, config=config))
    made = finetune.update(learned, known, new_E, stream.features, seed=stream.asked.seed)
    arm.learned = made.learned
    return _cells([made.run], taught=config.distillation > 0), time.monotonic() - began


def _cells(runs: Sequence[Run], *, taught: bool = False) -> float:
    return sum(run.cells * len(run.history) for run in runs) * (1 + _TEACHER * taught)


def _tested(
    stream: _Stream, scorer: Scorer, holdout: Holdout, until: float, start: float
) -> tuple[int, float, float, int, float] | None:
    """Cases, NDCG@10, HR@10, and cases and recall@10 of new items; None without cases."""
    if not holdout.truth:
        return None
    truth, ranked = _ranked(stream, scorer, holdout, until)
    if not any(len(true) for true in truth):
        return None
    figures = evaluate.evaluate_holdout(ranked, truth, catalogue=len(stream.items))
    new = [true[stream.born_N[true] >= start] for true in truth]
    fresh = [s for s, true in enumerate(new) if len(true)]
    recall = float("nan")
    if fresh:
        found = evaluate.evaluate_holdout(ranked[fresh], [new[s] for s in fresh], catalogue=len(stream.items))
        recall = found["recall@10"]
    return int(figures["cases"]), figures["ndcg@10"], figures["hit_rate@10"], len(fresh), recall


def _ranked(stream: _Stream, scorer: Scorer, holdout: Holdout, until: float) -> tuple[list[np.ndarray], np.ndarray]:
    """The true items of each case, and the best of the items that existed before `until`."""
    old = evaluate.excluded(stream.events, holdout, stream.config)
    truth = evaluate.unseen_truth(holdout.truth, old)
    open_N = stream.born_N < until
    return truth, evaluate.rank_holdout(scorer, stream.events, holdout, excluded=old, open_N=open_N)


class _Old(NamedTuple):
    """The baskets of one window of reserved users, and recent popularity at the beginning of the window."""

    holdout: Holdout
    until: float
    faded_N: Float[np.ndarray, " N"]


def _old(stream: _Stream, holdout: Holdout, since: float, until: float) -> _Old:
    kept = np.flatnonzero(stream.reserved_E[holdout.start_S])
    reserved = Holdout(holdout.start_S[kept], holdout.end_S[kept], [holdout.truth[s] for s in kept])
    return _Old(
        reserved, until, recency_popularity.faded(stream.before(since), len(stream.items), stream.config, at=since)
    )


def _ndcg(stream: _Stream, scorer: Scorer, old: _Old) -> Float[np.ndarray, " S"]:
    """NDCG@10 of each case that has a true item.

    Recent popularity of that time is given, like the histories: it is counted, and no model has to remember it.
    """
    if not old.holdout.truth:
        return np.zeros(0)
    truth, ranked = _ranked(stream, replace(scorer, faded_N=old.faded_N), old.holdout, old.until)
    return evaluate.ndcg_of_cases(ranked, truth)


def _retention(stream: _Stream, arm: _Arm, kept: Sequence[_Old]) -> Retention:
    now = np.concatenate([_ndcg(stream, arm.learned.scorer, old) for old in kept])
    return Retention(len(now), float(np.mean(arm.then or [0.0])), float(now.mean()) if len(now) else 0.0)
