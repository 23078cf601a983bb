"""Training: from events to a saved-able model, with metrics that were taken on events it had never seen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from model.artifact import Artifact
from model.errors import DataError
from model.recommend import baselines, evaluate, layers, packing, split, step
from model.recommend import config as configs
from model.recommend import events as event_arrays
from model.recommend import items as item_features
from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions
from model.recommend.items import Item, ItemFeatures
from model.recommend.serve import KIND
from model.recommend.split import Holdout, Split


class Progress(NamedTuple):
    """One finished epoch. `ndcg` is the validation NDCG@10; None without held-out cases, and in the refit."""

    phase: str  # "train" or "refit"
    epoch: int
    epochs: int
    loss: float
    ndcg: float | None


@dataclass(frozen=True)
class Fitted:
    """A trained model. `metrics` maps "model", "popularity" and "cooccurrence" to figures on the same test cases."""

    artifact: Artifact
    metrics: dict[str, dict[str, float]]
    losses: list[float]  # one per epoch, the refit's last


def fit(
    interactions: Interactions,
    items: Sequence[Item],
    config: RecommendConfig,
    *,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    minutes: float | None = None,
) -> Fitted:
    """Trains on all but each user's last two baskets, stops by the last but one, reports on the last.

    After the report, `config.refit_epochs` go over all events, so that the artifact knows the newest ones;
    the metrics are those from before. `minutes` of wall time end the training after the epoch in progress,
    and the refit then takes at most a fifth as long again. Without test cases (users of fewer than three
    baskets) the metrics are empty and all epochs are run. Raises DataError for no events or contradictory
    ones.
    """
    event_arrays.check(interactions, items=len(items), kinds=len(configs.KINDS))
    weights_E = np.asarray(config.kind_weights)[interactions.kinds_E]
    interactions = event_arrays.take(interactions, weights_E != 0)
    if not len(interactions.users_E):
        raise DataError("there are no interactions of a kind with a weight to learn from; ingest events first")
    parts = split.leave_last_out(interactions, config)
    known = np.unique(parts.events.items_E)
    rows = {items[n].item_id: row for row, n in enumerate(known, start=1)}
    features = _trimmed(item_features.features(items, rows, config))
    run = _Run(parts, features, config, seed=seed, report=progress or (lambda _: None))
    run.train(minutes)
    metrics = run.test()
    run.refit(minutes)
    artifact = Artifact(
        kind=KIND,
        params={name: np.asarray(value) for name, value in run.params.items()},
        config=configs.to_json(config),
        ids=tuple(rows),
        metrics=metrics,
    )
    return Fitted(artifact, metrics, run.losses)


class _Phase(NamedTuple):
    """What one pass of training learns from, and for how long."""

    config: RecommendConfig
    epochs: int
    end_U: np.ndarray  # where each user's events to learn from end
    features: ItemFeatures
    mask_E: np.ndarray  # the events to learn from
    minutes: float | None


class _Run:
    """The state of one call of `fit`."""

    def __init__(
        self,
        parts: Split,
        features: ItemFeatures,
        config: RecommendConfig,
        *,
        seed: int,
        report: Callable[[Progress], None],
    ) -> None:
        self.parts, self.config, self.report = parts, config, report
        self.random = np.random.default_rng(seed)
        self.seed = seed
        mask_E = split.training_mask(parts)
        trained = np.zeros(len(features.rows_N), bool)
        trained[parts.events.items_E[mask_E]] = True
        # An item that only held-out events name has no embedding of its own yet: its content must do.
        self.strict = features._replace(rows_N=np.where(trained, features.rows_N, 0).astype(np.int32))
        self.features, self.mask_E = features, mask_E
        self.params = layers.initial(config, int(features.rows_N.max()), seed=seed)
        self.losses: list[float] = []

    def train(self, minutes: float | None) -> None:
        """Epochs until the validation stops improving; keeps the best parameters."""
        config, validation = self.config, self._sample(self.parts.validation)
        best, stale = -1.0, 0
        best_params: layers.Params = self.params
        phase = _Phase(config, config.epochs, self.parts.train_end_U, self.strict, self.mask_E, minutes)
        for epoch, loss, params in self._epochs(phase):
            ndcg = self._ndcg(params, validation)
            self.report(Progress("train", epoch, config.epochs, loss, ndcg))
            stale = 0 if ndcg is None or ndcg > best else stale + 1
            if stale == 0:
                # A copy, because the next epoch takes over the buffers of its state.
                best_params = {name: np.array(value) for name, value in params.items()}
                best = ndcg if ndcg is not None else best
            if stale >= config.patience:
                break
        self.params = jax.device_put(dict(best_params), may_alias=False)

    def refit(self, minutes: float | None) -> None:
        """A few gentler epochs over all events, from the best parameters."""
        config = configs.replace(self.config, learning_rate=0.3 * self.config.learning_rate)
        budget = None if minutes is None else minutes / 5
        everything_E = np.ones(len(self.mask_E), bool)
        phase = _Phase(config, config.refit_epochs, self.parts.end_U, self.features, everything_E, budget)
        for epoch, loss, params in self._epochs(phase):
            self.params = params
            self.report(Progress("refit", epoch, config.refit_epochs, loss, None))

    def test(self) -> dict[str, dict[str, float]]:
        """The figures of the model and of both baselines on the test cases."""
        events, test, catalogue = self.parts.events, self.parts.test, len(self.features.rows_N)
        old, truth = self._seen(test)
        if not any(len(true) for true in truth):
            return {}
        counts_N = baselines.popularity(events.items_E[self.mask_E], catalogue)
        table = baselines.cooccurrence(events, self.mask_E, catalogue)
        ranked = {
            "model": self._ranked(self.params, test, old),
            "popularity": baselines.rank_popular(counts_N, old),
            "cooccurrence": baselines.rank_cooccurrence(table, counts_N, events, test, old),
        }
        return {name: evaluate.evaluate_holdout(rows, truth, catalogue=catalogue) for name, rows in ranked.items()}

    def _epochs(self, phase: _Phase) -> Iterator[tuple[int, float, dict[str, jax.Array]]]:
        """Trains from `self.params`, whose buffers it takes: epoch, mean loss, parameters after each."""
        config, events = phase.config, self.parts.events
        start_S, end_S, begins_S = packing.windows(self.parts.start_U, phase.end_U, config.history)
        rows = packing.pack(events, start_S, end_S, config, begins_S=begins_S).rows
        count = len(rows.items_RxL)
        batch = min(config.batch_rows, count)
        steps = -(-count // batch)
        rows, items = jax.device_put(rows), step.catalogue(phase.features, events.items_E[phase.mask_E])
        transform = step.optimizer(config, steps * phase.epochs)
        state = step.TrainState(self.params, transform.init(self.params))
        stop = math.inf if phase.minutes is None else time.monotonic() + 60 * phase.minutes
        for epoch in range(1, phase.epochs + 1):
            order_SxB = np.resize(self.random.permutation(count), (steps, batch)).astype(np.int32)
            key = jax.random.fold_in(jax.random.key(self.seed), len(self.losses))
            state, losses_S = step.epoch(config, transform, state, items, rows, order_SxB, key)
            self.losses.append(float(np.asarray(losses_S).mean()))
            yield epoch, self.losses[-1], state.params
            if time.monotonic() >= stop:
                return

    def _sample(self, holdout: Holdout) -> Holdout:
        if len(holdout.truth) <= self.config.validation_users:
            return holdout
        chosen = np.sort(self.random.choice(len(holdout.truth), self.config.validation_users, replace=False))
        return Holdout(holdout.start_S[chosen], holdout.end_S[chosen], [holdout.truth[n] for n in chosen])

    def _seen(self, holdout: Holdout) -> tuple[list[np.ndarray], list[np.ndarray]]:
        if not self.config.filter_seen:
            return [np.zeros(0, np.int32)] * len(holdout.truth), holdout.truth
        old = evaluate.seen(self.parts.events, holdout)
        return old, evaluate.unseen_truth(holdout.truth, old)

    def _ranked(self, params: layers.Params, holdout: Holdout, old: list[np.ndarray]) -> np.ndarray:
        k = min(10, len(self.strict.rows_N))
        return evaluate.rank_holdout(params, self.strict, self.parts.events, holdout, self.config, excluded=old, k=k)

    def _ndcg(self, params: layers.Params, holdout: Holdout) -> float | None:
        old, truth = self._seen(holdout)
        if not any(len(true) for true in truth):
            return None
        ranked = self._ranked(params, holdout, old)
        return evaluate.evaluate_holdout(ranked, truth, catalogue=len(self.strict.rows_N))["ndcg@10"]


def _trimmed(features: ItemFeatures) -> ItemFeatures:
    """The same features without columns that are padding for every item."""

    def trim(hashed_NxW: np.ndarray) -> np.ndarray:
        return hashed_NxW[:, : max(int((hashed_NxW > 0).sum(1).max(initial=0)), 1)]

    return features._replace(text_NxT=trim(features.text_NxT), attributes_NxA=trim(features.attributes_NxA))
