"""Training: from events to an artifact, with metrics measured on events that the model had not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import jax
import numpy as np

from model.artifact import Artifact
from model.batching import pad_lists, power_of_two
from model.catalogue import Item
from model.errors import DataError
from model.recommend import blend, neighbours, network, recency_popularity, split, transitions, weights
from model.recommend import config as configs
from model.recommend import events as event_arrays
from model.recommend import items as item_features
from model.recommend.blend import Blend, Cases
from model.recommend.config import RecommendConfig
from model.recommend.evaluation import baselines, evaluate
from model.recommend.evaluation.evaluate import Scorer
from model.recommend.events import Interactions
from model.recommend.items import ItemFeatures
from model.recommend.neighbours import Neighbours
from model.recommend.split import Holdout, Split
from model.recommend.training import loop, score_parts
from model.recommend.training.loop import Checkpoint, Phase, Progress, Run
from model.recommend.transitions import NOTHING, Transitions
from model.recommend.weights import KIND

Figures = dict[str, dict[str, float]]

# The refit's share of the learning rate, and of the minutes.
_GENTLER = 0.3
# What is served now is blended as predicts the held-out baskets of this many days best, if there are enough of them.
_LATEST_DAYS = 28.0
# Fewer held-out baskets than this would move a blend by chance.
_LEAST_CASES = 200
_REFIT_MINUTES = 0.2


@dataclass(frozen=True)
class Blending:
    """What the blend is fitted with: held-out cases, and a scorer that knows only what was before them."""

    cases: Holdout
    scorer: Scorer


@dataclass(frozen=True)
class Trial:
    """A model that learned only what its split allows, the run of its training, and what its blend was fitted with."""

    parts: Split
    scorer: Scorer
    run: Run
    blending: Blending


@dataclass(frozen=True)
class Fitted:
    """A trained model. `metrics` maps "model", "popularity" and "cooccurrence" to figures on the same test cases."""

    artifact: Artifact
    metrics: dict[str, dict[str, float]]
    trial: Trial  # after the refit
    history: list[Progress] = field(default_factory=list)  # an entry per epoch, the refit's last

    @property
    def losses(self) -> list[float]:
        """The mean loss of each epoch."""
        return [report.loss for report in self.history]


def fit(
    interactions: Interactions,
    items: Sequence[Item],
    config: RecommendConfig,
    *,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    minutes: float | None = None,
    checkpoints: Mapping[str, Checkpoint] | None = None,
) -> Fitted:
    """Trains on all but each user's last two baskets, stops by the last but one, reports on the last.

    After the report, `config.refit_epochs` go over all events, and all transitions are counted, so that the artifact
    knows the newest ones; the metrics are those from before. `minutes` of wall time end the training after the epoch in
    progress, and the refit then takes at most a fifth as long again. Without test cases (all users have fewer than
    three baskets) the metrics are empty and all epochs are run. `checkpoints`, for "train" and "refit", let a killed
    training continue. Raises DataError for no events or contradictory ones.
    """
    interactions = usable(interactions, items, config)
    kept = checkpoints or {}
    report = progress or (lambda _: None)
    parts = split.leave_last_out(interactions, config)
    known = np.unique(parts.events.items_E)
    features = features_of(items, known, config)
    trial = learn(
        parts,
        features,
        config,
        seed=seed,
        progress=report,
        minutes=minutes,
        checkpoint=kept.get("train"),
        of_now=True,
    )
    metrics = compare(trial)
    finished = refit(
        trial, features, parts.end_U, seed=seed, progress=report, minutes=minutes, checkpoint=kept.get("refit")
    )
    artifact = Artifact(
        kind=KIND,
        params=weights.pack(
            finished.run.params, finished.scorer.blend, finished.scorer.tables, finished.scorer.faded_N, known
        ),
        config=configs.to_json(config),
        ids=tuple(items[n].item_id for n in known),
        metrics=metrics,
    )
    return Fitted(artifact, metrics, finished, trial.run.history + finished.run.history)


def usable(interactions: Interactions, items: Sequence[Item], config: RecommendConfig) -> Interactions:
    """The interactions of kinds with a weight. Raises DataError for none, and for contradictory ones."""
    event_arrays.check(interactions, items=len(items), kinds=len(configs.KINDS))
    weights_E = np.asarray(config.kind_weights)[interactions.kinds_E]
    interactions = event_arrays.take(interactions, weights_E != 0)
    if not len(interactions.users_E):
        raise DataError("there are no interactions of a kind with a weight to learn from; ingest events first")
    return interactions


def learn(
    parts: Split,
    features: ItemFeatures,
    config: RecommendConfig,
    *,
    seed: int = 0,
    progress: Callable[[Progress], None] = lambda _: None,
    minutes: float | None = None,
    checkpoint: Checkpoint | None = None,
    of_now: bool = False,
) -> Trial:
    """Trains the network on what `parts` allows, counts the transitions there, and fits their blend.

    The validation cases choose the epoch, and then the blend: neither network nor counts know them. With `of_now`, the
    blend is fitted to the latest of them, with what was known before these, as is right for what comes next. Otherwise
    it is for cases of all times, and recent popularity is left out of it.
    """
    mask_E = split.training_mask(parts)
    size = int(features.rows_N.max())
    features = _known(features, parts.events.items_E[mask_E])
    phase = Phase(
        "train", config, config.epochs, parts.events, parts.start_U, parts.train_end_U, mask_E, features, seed, minutes
    )
    validation = sample(parts.validation, config.validation_users, seed)
    old, truth = _seen(parts.events, validation, config)
    catalogue = len(features.rows_N)
    plain = Scorer(
        config,
        {},
        features,
        blend.default(),
        transitions.empty(catalogue, 0),
        neighbours.empty(catalogue, 0),
        np.zeros(catalogue, np.float32),
    )

    def validate(params: network.Params) -> float | None:
        if not any(len(true) for true in truth):
            return None
        scorer = plain.with_params(jax.device_put(dict(params)))
        ranked = evaluate.rank_holdout(scorer, parts.events, validation, excluded=old)
        return evaluate.evaluate_holdout(ranked, truth, catalogue=len(features.rows_N))["ndcg@10"]

    params = network.initial(config, size, seed=seed)
    run = loop.run(phase, params, validate=validate, report=progress, checkpoint=checkpoint)
    params = jax.device_put(dict(run.params), may_alias=False)
    known = _counted(plain.with_params(params), parts.events, mask_E, seed=seed)
    if of_now and (latest := _latest(parts.events, validation)) is not None:
        cases, since = latest
        before_E = mask_E & (parts.events.at_E < since)
        blending = Blending(cases, _counted(known, parts.events, before_E, seed=seed, at=since))
    else:
        blending = Blending(validation, known.timeless())
    return Trial(parts, replace(known, blend=_blended(parts.events, blending, seed=seed)), run, blending)


def refit(
    trial: Trial,
    features: ItemFeatures,
    end_U: np.ndarray,
    *,
    seed: int = 0,
    progress: Callable[[Progress], None] = lambda _: None,
    minutes: float | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trial:
    """The trial after a few gentler epochs on all of each user's events before `end_U`, its transitions counted again.

    `features` are those of all items, including those that the trial did not learn. The blend stays the same.
    """
    scorer, parts = trial.scorer, trial.parts
    mask_E = split.mask_until(parts, end_U)
    features = _known(features, parts.events.items_E[mask_E])
    config = configs.replace(scorer.config, learning_rate=_GENTLER * scorer.config.learning_rate)
    budget = None if minutes is None else _REFIT_MINUTES * minutes
    phase = Phase(
        "refit", config, config.refit_epochs, parts.events, parts.start_U, end_U, mask_E, features, seed, budget
    )
    run = loop.run(phase, trial.run.params, report=progress, checkpoint=checkpoint)
    params = jax.device_put(dict(run.params), may_alias=False)
    finished = replace(scorer, params=params, features=features)
    return replace(trial, scorer=_counted(finished, parts.events, mask_E, seed=seed), run=run)


def compare(trial: Trial, *, k: int = 10) -> Figures:
    """The figures of the model and of the baselines on the test cases; empty without test cases.

    Users' last baskets are spread over all times, so recent popularity is left out.
    """
    events, test, scorer = trial.parts.events, trial.parts.test, trial.scorer.timeless()
    catalogue = len(scorer.features.rows_N)
    old, truth = _seen(events, test, scorer.config)
    if not any(len(true) for true in truth):
        return {}
    mask_E = split.training_mask(trial.parts)
    counts_N = baselines.popularity(events.items_E[mask_E], catalogue)
    table = transitions.count(events, mask_E, catalogue)
    k = min(k, catalogue)
    ranked = {
        "model": evaluate.rank_holdout(scorer, events, test, excluded=old, k=k),
        "popularity": baselines.rank_popular(counts_N, old, k=k),
        "cooccurrence": baselines.rank_by_table(table, counts_N, events, test, old, k=k),
    }
    return {name: evaluate.evaluate_holdout(rows, truth, catalogue=catalogue) for name, rows in ranked.items()}


def fit_blend(
    events: Interactions,
    validation: Holdout,
    scorer: Scorer,
    *,
    seed: int,
    start: Blend | None = None,
) -> Blend:
    """The blend of the network and the counts of `scorer` that best predicts cases that neither knows."""
    old, truth = _seen(events, validation, scorer.config)
    pairs = [(s, item) for s, true in enumerate(truth) for item in true.tolist()]
    items_NxD = evaluate.embed_all(scorer.params, scorer.features, scorer.config)
    users_SxD = evaluate.encode_holdout(scorer.params, items_NxD, events, validation, scorer.config)
    recent = blend.recent_of_holdout(events, validation, scorer.config)
    width = power_of_two(max((len(items) for items in old), default=1))
    excluded_SxX = pad_lists(old, rows=len(old), width=width, fill=NOTHING, dtype=np.int32)
    of_P = np.array([case for case, _ in pairs], np.int64)
    truth_P = np.array([item for _, item in pairs], np.int32)
    recent = blend.Recent(*(column[of_P] for column in recent))
    cases = Cases(users_SxD[of_P], recent, excluded_SxX[of_P], truth_P)
    return blend.fit(scorer.tables, items_NxD, scorer.faded_N, cases, seed=seed, start=start)


def _blended(events: Interactions, blending: Blending, *, seed: int) -> Blend:
    """The blend of the parts that are worth their place."""
    blended = replace(blending.scorer, blend=fit_blend(events, blending.cases, blending.scorer, seed=seed))
    left_out = score_parts.better_left_out(events, blending.cases, blended)
    if not left_out:
        return blended.blend
    fewer = score_parts.without(replace(blending.scorer, blend=blend.default()), left_out)
    return fit_blend(events, blending.cases, fewer, seed=seed, start=fewer.blend)


def _latest(events: Interactions, validation: Holdout) -> tuple[Holdout, float] | None:
    """The held-out baskets of the last `_LATEST_DAYS` days, and when these began; None if they are too few."""
    at_S = events.at_E[validation.end_S]
    since = float(at_S.max(initial=-np.inf)) - _LATEST_DAYS * 86_400.0
    latest = np.flatnonzero(at_S >= since)
    if len(latest) < _LEAST_CASES:
        return None
    return Holdout(validation.start_S[latest], validation.end_S[latest], [validation.truth[s] for s in latest]), since


def _counted(scorer: Scorer, events: Interactions, mask_E: np.ndarray, *, seed: int, at: float | None = None) -> Scorer:
    """The scorer with what is counted of the events where `mask_E` is True, popularity at the time `at`."""
    config, catalogue = scorer.config, len(scorer.features.rows_N)
    return replace(
        scorer,
        transitions=count_transitions(events, mask_E, catalogue, config),
        neighbours=fit_neighbours(events, mask_E, catalogue, config, seed=seed),
        faded_N=recency_popularity.faded(event_arrays.take(events, mask_E), catalogue, config, at=at),
    )


def count_transitions(events: Interactions, mask_E: np.ndarray, catalogue: int, config: RecommendConfig) -> Transitions:
    """The strongest successors of each item among these events, each counted by its kind's weight."""
    gains_K = blend.strengths(config) ** 2
    return transitions.strongest(transitions.count(events, mask_E, catalogue, gains_K=gains_K), config.successors)


def fit_neighbours(
    events: Interactions, mask_E: np.ndarray, catalogue: int, config: RecommendConfig, *, seed: int
) -> Neighbours:
    """The linear part, fitted to these events."""
    strengths_K = blend.strengths(config)
    return neighbours.fit(events, mask_E, catalogue, width=config.neighbours, strengths_K=strengths_K, seed=seed)


def features_of(items: Sequence[Item], known_T: np.ndarray, config: RecommendConfig) -> ItemFeatures:
    """The features of all items, of which the dense ids `known_T` get rows of the id table, from 1 on."""
    rows = {items[n].item_id: row for row, n in enumerate(known_T, start=1)}
    return trimmed(item_features.features(items, rows, config))


def trimmed(features: ItemFeatures) -> ItemFeatures:
    """The same features without columns that are padding for every item."""

    def trim(hashed_NxW: np.ndarray) -> np.ndarray:
        return hashed_NxW[:, : max(int((hashed_NxW > 0).sum(1).max(initial=0)), 1)]

    return features._replace(text_NxT=trim(features.text_NxT), attributes_NxA=trim(features.attributes_NxA))


def _known(features: ItemFeatures, learned_E: np.ndarray) -> ItemFeatures:
    """Give items that are only in held-out events no id embedding: they are ranked by their content."""
    learned_N = np.zeros(len(features.rows_N), bool)
    learned_N[learned_E] = True
    return features._replace(rows_N=np.where(learned_N, features.rows_N, 0).astype(np.int32))


def sample(holdout: Holdout, most: int, seed: int) -> Holdout:
    """At most `most` of the cases, at random."""
    if len(holdout.truth) <= most:
        return holdout
    chosen = np.sort(np.random.default_rng(seed).choice(len(holdout.truth), most, replace=False))
    return Holdout(holdout.start_S[chosen], holdout.end_S[chosen], [holdout.truth[n] for n in chosen])


def _seen(events: Interactions, holdout: Holdout, config: RecommendConfig) -> tuple[list[np.ndarray], list[np.ndarray]]:
    old = evaluate.excluded(events, holdout, config)
    return old, evaluate.unseen_truth(holdout.truth, old)
