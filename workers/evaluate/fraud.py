"""The handbook's protocol over several folds and seeds: the detector next to the usual classifiers."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model import drift
from model.errors import ConfigError
from model.fraud import config as configs
from model.fraud.config import FraudConfig
from model.fraud.detector import attack, detector
from model.fraud.detector.attack import Attack
from model.fraud.detector.detector import Detector
from model.fraud.evaluation import baselines, protocol
from model.fraud.evaluation.protocol import Fold, Span
from model.fraud.features import features, handbook
from model.fraud.features.features import Features
from model.fraud.features.orders import DAY
from workers import options as command_line
from workers.evaluate import reports
from workers.evaluate.fraud_files import Transactions

DETECTOR = "detector"
_PACKAGES = ("jax", "flax", "optax", "numpy", "lightgbm", "scikit-learn")


@dataclass(frozen=True)
class Asked:
    """Which folds to run, each with all seeds: this one, and `folds` - 1 more, each a week earlier."""

    config: FraudConfig
    train: Span
    test: Span
    delay: int
    folds: int = 1
    seeds: int = 1
    beside: bool = True  # also run the usual classifiers


class Scored(NamedTuple):
    """One classifier on one fold with one seed. All orders of the test days have `scores_M`, also those not counted."""

    name: str
    train: Span
    seed: int
    figures: dict[str, float]
    scores_M: np.ndarray
    seconds: float


class Evaluation(NamedTuple):
    """The results; `first` is the fold that was asked for."""

    asked: Asked
    data: Transactions
    first: Fold
    scored: list[Scored]


class _Prepared(NamedTuple):
    data: Transactions
    known: Features
    handbook_NxF: np.ndarray | None


def config_of(preset: str, options: Sequence[str], *, delay: int) -> FraudConfig:
    """Return the preset with options given as NAME=VALUE. Raises `ConfigError` for an unknown name or a bad value."""
    config = configs.preset(preset, **command_line.read(options, _value))
    return dataclasses.replace(config, features=dataclasses.replace(config.features, mature=delay * DAY))


def _value(name: str, text: str) -> Any:
    default = getattr(FraudConfig(), name, None)
    if isinstance(default, str):
        return text
    if isinstance(default, tuple):
        return tuple(text.split(","))
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"--set {name}: {text!r} is neither a number, true nor false") from error


def run(asked: Asked, data: Transactions, report: Callable[[Scored], None] = lambda _: None) -> Evaluation:
    """Run all folds and seeds. Raises `DataError` if a fold's days have no orders or no frauds."""
    splits = [
        (train, protocol.fold(data.found, data.frauds_N, train, test, delay=asked.delay))
        for train, test in _spans(asked)
    ]
    found, known = features.compute_all(data.found, asked.config.features)
    by_handbook = handbook.compute_all(found, asked.config.features) if asked.beside else None
    prepared = _Prepared(data._replace(found=found), known, by_handbook)
    scored = []
    for train, split in splits:
        for one in _fold(asked, prepared, train, split):
            report(one)
            scored.append(one)
    return Evaluation(asked, prepared.data, splits[0][1], scored)


def _spans(asked: Asked) -> Iterable[tuple[Span, Span]]:
    for fold in range(asked.folds):
        yield (
            Span(asked.train.first - 7 * fold, asked.train.last - 7 * fold),
            Span(asked.test.first - 7 * fold, asked.test.last - 7 * fold),
        )


def _fold(asked: Asked, prepared: _Prepared, train: Span, split: Fold) -> Iterable[Scored]:
    data = prepared.data
    rows = split.train[data.labelled_N[split.train]]
    for seed in range(asked.seeds):
        began = time.monotonic()
        fitted = _fitted(asked.config, prepared, rows, seed)
        scores_M = detector.probabilities(fitted, prepared.known.values_NxF[split.test])
        yield _judged(DETECTOR, prepared, train, seed, split, scores_M, began)
        if prepared.handbook_NxF is None:
            continue
        for name in baselines.ALL:
            began = time.monotonic()
            train_NxF, test_MxF = prepared.handbook_NxF[rows], prepared.handbook_NxF[split.test]
            scores_M = baselines.scores(name, train_NxF, data.frauds_N[rows], test_MxF, seed=seed)
            yield _judged(name, prepared, train, seed, split, scores_M, began)


def _fitted(config: FraudConfig, prepared: _Prepared, rows: np.ndarray, seed: int) -> Detector:
    data = prepared.data
    known, frauds_N, customer_N = prepared.known.take(rows), data.frauds_N[rows], data.found.customer_N[rows]
    if not config.adversarial:
        return detector.fit(known, frauds_N, customer_N, config, seed=seed)
    variants_RxVxF = attack.variants(data.found, rows[frauds_N], Attack(), config.features)
    return attack.fit(known, frauds_N, customer_N, variants_RxVxF, config, seed=seed)


def _judged(
    name: str, prepared: _Prepared, train: Span, seed: int, split: Fold, scores_M: np.ndarray, began: float
) -> Scored:
    data = prepared.data
    counted = split._replace(kept=split.kept & data.labelled_N[split.test])
    figures: dict[str, float] = {}
    rows = split.test[counted.kept]
    if 0 < data.frauds_N[rows].sum() < len(rows):
        figures = protocol.figures(data.found, data.frauds_N, counted, scores_M)
        said = drift.calibration(scores_M[counted.kept], data.frauds_N[rows].astype(np.float64))
        figures["calibration_error"] = said.error
        if said.ratio is not None:
            figures["frauds_to_expected"] = said.ratio
    return Scored(name, train, seed, figures, scores_M, time.monotonic() - began)


def summary(evaluation: Evaluation) -> dict[str, dict[str, dict[str, float]]]:
    """Each classifier's figures: the mean, and the spread (standard deviation) over folds and over seeds.

    The spread over folds is that of each fold's mean over seeds; the spread over seeds is the mean over folds of the
    deviation within a fold.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name in dict.fromkeys(one.name for one in evaluation.scored):
        own = [one for one in evaluation.scored if one.name == name and one.figures]
        measures = own[0].figures if own else {}
        found[name] = {measure: _spread(own, measure) for measure in measures}
    return found


def _spread(scored: Sequence[Scored], measure: str) -> dict[str, float]:
    folds: dict[Span, list[float]] = {}
    for one in scored:
        if measure in one.figures:
            folds.setdefault(one.train, []).append(one.figures[measure])
    means = [statistics.mean(values) for values in folds.values()]
    within = [statistics.pstdev(values) for values in folds.values()]
    return {
        "mean": round(statistics.mean(means), 5),
        "over_folds": round(statistics.pstdev(means), 5),
        "over_seeds": round(statistics.mean(within), 5),
    }


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything but the predictions as a JSON object."""
    asked, data = evaluation.asked, evaluation.data
    return {
        "protocol": "handbook",
        "train": dates(asked.train),
        "delay_days": asked.delay,
        "test": dates(asked.test),
        "folds": asked.folds,
        "seeds": asked.seeds,
        "data": {
            "file": data.path.name,
            "orders": len(data.ids),
            "frauds": int(data.frauds_N.sum()),
            "rejected": {one.reason: {"lines": one.lines, "first_line": one.first_line} for one in data.rejected},
        },
        "figures": summary(evaluation),
        "runs": [
            {
                "classifier": one.name,
                "train": dates(one.train),
                "seed": one.seed,
                "seconds": round(one.seconds, 1),
                **{measure: round(value, 5) for measure, value in one.figures.items()},
            }
            for one in evaluation.scored
        ],
        "config": configs.to_json(asked.config),
        "device": reports.device(),
        "versions": reports.versions(_PACKAGES),
    }


def dates(span: Span) -> str:
    """Return a span in the format of `--train`."""
    return "..".join(str(np.datetime64(day, "D")) for day in span)


def write_predictions(path: Path, evaluation: Evaluation) -> None:
    """Write transaction_id, score for every order of the test days: the probability by the first seed's detector.

    Gzipped if the name ends in .gz. Known cards, which the figures leave out, are included.
    """
    [scores_M] = [
        one.scores_M
        for one in evaluation.scored
        if (one.name, one.train, one.seed) == (DETECTOR, evaluation.asked.train, 0)
    ]
    ids = evaluation.data.ids
    rows = ((ids[row], repr(float(score))) for row, score in zip(evaluation.first.test, scores_M, strict=True))
    reports.write_predictions(path, ("transaction_id", "score"), rows)
