"""Offline evaluation of the demand model on weekly sales: forecasts, and what they say about prices.

Rolling origin: at each origin every model learns from the weeks up to it, of the stores that are not held out, and
predicts the weeks after it in the stores that are. What a held-out store sold up to the origin may be looked at, and
so may the prices, promotions and costs planned for the weeks ahead; nothing else of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model import metrics
from model.errors import DataError
from model.pricing.forecast import features, training
from model.pricing.forecast.features import Rows
from model.pricing.forecast.panel import Panel
from model.pricing.forecast.training import Ensemble, TrainingConfig
from workers.evaluate import pricing_baselines as baselines
from workers.evaluate import reports

OURS = "reshelf"
RISE = 0.1
"""Units are also predicted at prices higher by this share."""

_PACKAGES = ("jax", "optax", "lightgbm", "numpy")
_LEAST_WEEKS = 30
_TESTED_SHARE = 0.2
_MOST_ROUNDS = 6
_WARM_UP = 4


@dataclass(frozen=True)
class Asked:
    """What is measured, and how: see `reshelf evaluate pricing`."""

    weeks_ahead: int = 4
    hold_out_stores: float = 0.2
    seed: int = 0
    config: TrainingConfig = TrainingConfig()
    compared: bool = True


class Forecasts(NamedTuple):
    """Predictions of one model for the test cells, in the order of `cells`."""

    units_B: np.ndarray
    raised_B: np.ndarray


class Elasticities(NamedTuple):
    """Own-price elasticities by item ("I 3") and cross-price ones ("I I 3"; of the row's units to the column's price).

    Each is mean, low and high of 80 %. They are negative where a higher price sells less.
    """

    own_Ix3: np.ndarray
    cross_IxIx3: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """All that was measured. `cells` are store, item and week of each test cell ("B 3")."""

    asked: Asked
    panel: Panel
    held_S: np.ndarray
    origins: tuple[int, ...]
    cells: np.ndarray
    forecasts: dict[str, Forecasts]
    elasticities: Elasticities

    def figures(self) -> dict[str, dict[str, float]]:
        """Return WMAPE and sign accuracy of every model."""
        actual_B = self.panel.units_SxIxW[tuple(self.cells.T)]
        return {
            name: {
                "wmape": metrics.wape(actual_B, found.units_B),
                "sign_accuracy": float((found.raised_B < found.units_B).mean()),
            }
            for name, found in self.forecasts.items()
        }

    def signs(self) -> dict[str, float]:
        """Return our sign accuracy by item."""
        ours = self.forecasts[OURS]
        falls_B = ours.raised_B < ours.units_B
        items = np.unique(self.cells[:, 1])
        return {self.panel.item_ids[n]: float(falls_B[self.cells[:, 1] == n].mean()) for n in items}


def run(asked: Asked, panel: Panel, report: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Return the evaluation. Raises DataError for too few weeks or stores."""
    held_S = _held_out(panel, asked)
    origins = _origins(panel, asked)
    horizons = [features.build(panel, h + 1, ~held_S) for h in range(asked.weeks_ahead)]
    sold = panel.sold()
    sold[..., :_WARM_UP] = False
    cells: list[np.ndarray] = []
    found: dict[str, list[Forecasts]] = {}
    ensemble: Ensemble | None = None
    for n, origin in enumerate(origins):
        learnt = sold & ~held_S[:, None, None]
        learnt[..., origin + 1 :] = False
        ensemble = training.fit(horizons, panel.units_SxIxW, learnt, asked.config, seed=asked.seed)
        tested = [_tested(sold, held_S, origin + 1 + h) for h in range(asked.weeks_ahead)]
        cells += [np.argwhere(mask) for mask in tested]
        models: dict[str, baselines.Model] = {OURS: _ours(ensemble)}
        if asked.compared:
            models |= baselines.fitted(panel, horizons, learnt, seed=asked.seed)
        for name, predict in models.items():
            found.setdefault(name, []).append(_joined([predict(*pair) for pair in zip(horizons, tested, strict=True)]))
        report(f"origin {n + 1} of {len(origins)}: week {panel.weeks[origin]}, {sum(map(np.sum, tested))} predictions")
    assert ensemble is not None
    last = np.concatenate(cells)
    forecasts = {name: _joined(parts) for name, parts in found.items()}
    elasticities = _elasticities(ensemble, panel, horizons[0], sold, held_S)
    return Evaluation(asked, panel, held_S, origins, last, forecasts, elasticities)


def write_predictions(path: Path, found: Evaluation) -> None:
    """Write store_id, item_id, week, units and units_if_price_10_percent_up of every test cell (.csv, .csv.gz)."""
    ours, panel = found.forecasts[OURS], found.panel
    rows = (
        (panel.store_ids[s], panel.item_ids[i], panel.weeks[w], units, raised)
        for (s, i, w), units, raised in zip(
            found.cells.tolist(), ours.units_B.tolist(), ours.raised_B.tolist(), strict=True
        )
    )
    reports.write_predictions(path, ("store_id", "item_id", "week", "units", "units_if_price_10_percent_up"), rows)


def as_json(found: Evaluation) -> dict[str, Any]:
    """Return figures, elasticities, and what they were measured on."""
    ids = found.panel.item_ids
    asked = found.asked
    return {
        "weeks_ahead": asked.weeks_ahead,
        "hold_out_stores": asked.hold_out_stores,
        "seed": asked.seed,
        "config": dataclasses.asdict(asked.config),
        "device": reports.device(),
        "versions": reports.versions(_PACKAGES),
        "stores": len(found.panel.store_ids),
        "held_out_stores": int(found.held_S.sum()),
        "items": len(ids),
        "weeks": len(found.panel.weeks),
        "origins": [found.panel.weeks[origin] for origin in found.origins],
        "predictions": len(found.cells),
        "models": found.figures(),
        "sign_accuracy_by_item": found.signs(),
        "own_price_elasticity": {ids[n]: row.tolist() for n, row in enumerate(found.elasticities.own_Ix3)},
        "cross_price_elasticity": {
            ids[n]: {ids[m]: found.elasticities.cross_IxIx3[n, m].tolist() for m in range(len(ids)) if m != n}
            for n in range(len(ids))
        }
        if len(ids) <= features.MOST_RIVALS
        else {},
    }


def _held_out(panel: Panel, asked: Asked) -> np.ndarray:
    stores = len(panel.store_ids)
    count = round(asked.hold_out_stores * stores)
    if asked.hold_out_stores > 0 and (count == 0 or count == stores):
        raise DataError(f"of {stores} stores {asked.hold_out_stores:.0%} cannot be held out; say --hold-out-stores 0")
    held_S = np.zeros(stores, bool)
    held_S[np.random.default_rng(asked.seed).permutation(stores)[:count]] = True
    return held_S


def _origins(panel: Panel, asked: Asked) -> tuple[int, ...]:
    weeks = len(panel.weeks)
    if weeks < _LEAST_WEEKS + asked.weeks_ahead:
        raise DataError(f"the file has {weeks} weeks; {_LEAST_WEEKS + asked.weeks_ahead} are needed")
    rounds = min(max(int(_TESTED_SHARE * weeks) // asked.weeks_ahead, 1), _MOST_ROUNDS)
    return tuple(weeks - 1 - asked.weeks_ahead * n for n in range(rounds, 0, -1))


def _tested(sold: np.ndarray, held_S: np.ndarray, week: int) -> np.ndarray:
    mask = np.zeros_like(sold)
    stores = held_S if held_S.any() else np.ones_like(held_S)
    mask[stores, :, week] = sold[stores, :, week]
    return mask


def _ours(ensemble: Ensemble) -> baselines.Model:
    def predict(rows: Rows, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        examples = ensemble.examples(rows, where)
        raised = ensemble.units(examples, log_price_change=float(np.log1p(RISE)))
        return ensemble.units(examples).mean(0), raised.mean(0)

    return predict


def _joined(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> Forecasts:
    return Forecasts(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))


def _elasticities(ensemble: Ensemble, panel: Panel, rows: Rows, sold: np.ndarray, held_S: np.ndarray) -> Elasticities:
    """Return elasticities over the last year of the stores that were learned from."""
    items = len(panel.item_ids)
    recent = sold.copy()
    recent[..., : -round(features.YEAR)] = False
    recent[held_S] = False
    step = float(np.log(1.01))
    examples = ensemble.examples(rows, recent)
    base_MxB = ensemble.units(examples)
    own_MxB = np.log(ensemble.units(examples, log_price_change=step) / base_MxB) / step
    own_Ix3 = _by_item(own_MxB, examples.item_B, items)
    cross_IxIx3 = np.full((items, items, 3), np.nan)
    for n in range(items):
        moved = features.raised(rows, n, step)
        if moved is not None:
            cross_MxB = np.log(ensemble.units(ensemble.examples(moved, recent)) / base_MxB) / step
            cross_IxIx3[:, n] = _by_item(cross_MxB, examples.item_B, items)
    return Elasticities(own_Ix3, cross_IxIx3)


def _by_item(values_MxB: np.ndarray, item_B: np.ndarray, items: int) -> np.ndarray:
    found = np.full((items, 3), np.nan)
    for n in np.unique(item_B):
        found[n] = training.interval(values_MxB[:, item_B == n].mean(1))
    return found
