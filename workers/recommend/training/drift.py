"""Measure drift: how well the live version ranks recent events, compared with its first measurement.

It ranks only with what it was trained on. The counts from after the training are left out, because they contain the
answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sqlalchemy import Connection, Engine

from model import artifact, metrics
from model import drift as statistics
from model.artifact import Artifact
from model.drift import Histogram
from model.recommend import config as configs
from model.recommend import events as event_arrays
from model.recommend import split
from model.recommend.config import RecommendConfig
from model.recommend.events import Ranked, RankRequest
from model.recommend.serving.serve import Ranker
from storage.registry import drift, training
from storage.registry.drift import Window
from workers import catalogue
from workers import settings as configuration
from workers.recommend.training import alerts, data, gate, rank_requests, window
from workers.recommend.training.alerts import Figures
from workers.recommend.training.data import TrainingData
from workers.recommend.training.window import Choice
from workers.runtime import device
from workers.settings import Settings

MOST_SHOPPERS = 500
"""Most shoppers of the window that are sampled."""
# Most events of each shopper that are read: older ones have no weight in a ranking.
_LENGTH = 1000
_SHOWN = 10
_TYPES = (pl.String, pl.String, pl.String, pl.Int64)


class Measurement(NamedTuple):
    """The figures of a version on a window, and the alerts."""

    version: str
    window: Window
    figures: Figures
    alerts: list[str]


class _Read(NamedTuple):
    """The data read. `known` holds the catalogue and the sampled shoppers' histories, ordered."""

    item_events: Mapping[str, int]
    newcomers: int
    known: TrainingData
    reference: Mapping[str, Any] | None


class _Cases(NamedTuple):
    requests: list[RankRequest]
    truth: list[frozenset[str]]


def measure(engine: Engine, settings: Settings) -> Measurement:
    """Measure the live version on the last window of events and store the result.

    Raises `NothingToMeasure`, and `ArtifactError` for a version that cannot be loaded.
    """
    device.prepare(settings.home)
    with engine.connect() as connection:
        chosen = window.choose(connection, settings)
        read = _read(connection, chosen)
    saved = artifact.load(configuration.model_folder(settings.home, chosen.live.version))
    figures, reference = _figures(saved, read, chosen.window)
    expected = alerts.expected_ndcg(chosen.live.gate)
    found = alerts.decide(figures, expected, tolerated=settings.drift_alert)
    alert = "; ".join(found) or None
    with engine.begin() as connection:
        drift.add(connection, chosen.live.version, chosen.window, figures.as_json(), reference=reference, alert=alert)
    return Measurement(chosen.live.version, chosen.window, figures, found)


def _read(connection: Connection, chosen: Choice) -> _Read:
    shoppers = drift.sample(connection, chosen.window, most=MOST_SHOPPERS)
    if not shoppers:
        raise window.NothingToMeasure("nobody did anything with an item in the window")
    found = [tuple(row) for row in drift.histories(connection, shoppers, chosen.window, length=_LENGTH)]
    events = pl.DataFrame(found, schema=dict(zip(training.EVENT_COLUMNS, _TYPES, strict=True)), orient="row")
    known = data.from_events(events, [catalogue.to_item(row) for row in training.items(connection)])
    return _Read(
        item_events=drift.item_events(connection, chosen.window),
        newcomers=drift.newcomers(connection, shoppers, chosen.window),
        known=known._replace(interactions=event_arrays.ordered(known.interactions)),
        reference=drift.reference(connection, chosen.live.version),
    )


def _figures(saved: Artifact, read: _Read, span: Window) -> tuple[Figures, dict[str, Any] | None]:
    """Return the figures, and the reference for later measurements if there is none yet."""
    config = configs.from_json(saved.config)
    ranker = gate.loaded(saved, read.known.items)
    scores_S = _mean_scores(ranker.rank(_everyone(read.known, config), k=min(_SHOWN, config.candidates)))
    moved, reference = _moved(scores_S, read.reference)
    cases = _cases(read.known, span, config)
    predicted = _predicted(ranker, cases) if len(cases.truth) >= alerts.LEAST else {}
    shoppers = len(read.known.users)
    figures = Figures(
        events=sum(read.item_events.values()),
        shoppers=shoppers,
        cases=len(cases.truth),
        unknown_items=_unknown(read.item_events, saved.ids),
        new_shoppers=read.newcomers / shoppers if shoppers >= alerts.LEAST else None,
        **moved,
        **predicted,
    )
    return figures, reference


def _unknown(item_events: Mapping[str, int], trained: Sequence[str]) -> float | None:
    everything = sum(item_events.values())
    if everything < alerts.LEAST:
        return None
    known = set(trained)
    return sum(count for item_id, count in item_events.items() if item_id not in known) / everything


def _everyone(known: TrainingData, config: RecommendConfig) -> list[RankRequest]:
    """The requests that the sampled shoppers would make now."""
    spans = zip(*(ends.tolist() for ends in event_arrays.spans(known.interactions)), strict=True)
    return [_request(known, start, end, config) for start, end in spans]


def _cases(known: TrainingData, span: Window, config: RecommendConfig) -> _Cases:
    """Each shopper's newest basket of the window, to be predicted from everything before it."""
    cut = math.nextafter(span.since.timestamp(), math.inf)
    found = gate.predictable(known, split.by_time(known.interactions, config, cut=cut).test, config)
    return _Cases([_request(known, case.start, case.end, config) for case in found], [case.truth for case in found])


def _request(known: TrainingData, start: int, end: int, config: RecommendConfig) -> RankRequest:
    return rank_requests.before(known, start, end, length=config.history, hide_seen=config.filter_seen)


def _mean_scores(answers: Sequence[Ranked]) -> np.ndarray:
    return np.array([np.mean(answer.scores) for answer in answers if answer.scores])


def _moved(scores_S: np.ndarray, reference: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Compare the mean scores of top tens with those of the first measurement, or make this the first."""
    if len(scores_S) < alerts.LEAST:
        return {}, None
    if reference is None:
        first = statistics.histogram(scores_S)
        return {}, {"edges": first.edges_I.tolist(), "counts": first.counts_B.tolist()}
    before = Histogram(np.array(reference["edges"]), np.array(reference["counts"]))
    counts_B = statistics.counts(before.edges_I, scores_S)
    chance = statistics.psi_by_chance(len(counts_B), int(before.counts_B.sum()), len(scores_S))
    return {"psi": statistics.psi(before.counts_B, counts_B), "psi_by_chance": chance}, None


def _predicted(ranker: Ranker, cases: _Cases) -> dict[str, Any]:
    """How good the shown top tens, and the ten most probable items, were on the cases.

    The model was fitted to predict one item. For a basket with several, the share of them among the ten is the
    probability that a randomly drawn one is among the ten.
    """
    k = min(_SHOWN, ranker.config.candidates)
    hits_SxK = metrics.hits([a.item_ids for a in ranker.rank(cases.requests, k=k)], cases.truth, _SHOWN)
    ndcg_S = metrics.ndcg(hits_SxK, _SHOWN, np.array([len(true) for true in cases.truth]))
    likely = ranker.most_probable(cases.requests, k=k)
    expected_S = np.minimum([np.exp(answer.scores).sum() for answer in likely], 1.0)
    observed_S = np.array(
        [len(true & set(answer.item_ids)) / len(true) for true, answer in zip(cases.truth, likely, strict=True)]
    )
    calibration = statistics.calibration(expected_S, observed_S)
    return {
        "expected_hits": float(expected_S.mean()),
        "observed_hits": float(observed_S.mean()),
        "calibration_error": calibration.error,
        "calibration_ratio": calibration.ratio,
        "calibration_ratio_error": calibration.ratio_error,
        "ndcg_at_10": float(ndcg_S.mean()),
        "ndcg_at_10_error": float(ndcg_S.std(ddof=1)) / math.sqrt(len(ndcg_S)),
        "hit_rate_at_10": float(metrics.hit_rate(hits_SxK, _SHOWN).mean()),
    }
