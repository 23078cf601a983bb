"""Drift of the live detector: how far orders, scores and outcomes have moved since it was trained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Engine

from model.drift import calibration
from model.fraud import drift as fraud_drift
from model.fraud.drift import SCORE
from storage.fraud import screenings
from storage.registry import drift, models
from storage.registry.drift import Window
from workers.fraud.training import publish
from workers.runtime import device
from workers.settings import Settings

LEAST = 100
"""With fewer orders nothing is measured."""
MOST = 5_000
MOST_PSI = 0.25
CALIBRATED = (0.5, 2.0)
_SURE = 2.0
_NAMED = 5


class NothingToMeasure(RuntimeError):
    """Nothing can be measured; the message says why."""


class Measurement(NamedTuple):
    """The figures of a version, and the alerts."""

    version: str
    figures: dict[str, Any]
    alerts: list[str]


def measure(engine: Engine, settings: Settings) -> Measurement:
    """Measure the live detector on the orders that it judged last, and store the result. Raises `NothingToMeasure`."""
    hours = settings.drift_window_hours
    with engine.connect() as connection:
        live = models.live(connection, models.FRAUD)
        if live is None or not hours:
            raise NothingToMeasure("no detector serves, or RESHELF_DRIFT_WINDOW_HOURS is 0")
        rows = screenings.window(connection, live.version, hours=hours, most=MOST)
        judged = screenings.judged(connection, live.version, mature=settings.fraud_label_days, most=MOST)
    if len(rows) < LEAST:
        raise NothingToMeasure(f"{live.version} has judged {len(rows)} orders in {hours:g} hours, {LEAST} are needed")
    device.prepare(settings.home)
    screener = publish.loaded(settings.home, live.version)
    if screener.reference is None:
        raise NothingToMeasure(f"{live.version} knows no labels: it has no scores that could move")
    values_NxF = np.array([row.features for row in rows])
    moved = fraud_drift.moved(screener.reference, screener.scorer, values_NxF)
    figures, alerts = _figures(moved, len(rows), judged)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        span = Window(now - timedelta(hours=hours), now)
        drift.add(connection, live.version, span, figures, reference=None, alert="; ".join(alerts) or None)
    return Measurement(live.version, figures, alerts)


def _figures(moved: dict[str, float], orders: int, judged: Any) -> tuple[dict[str, Any], list[str]]:
    inputs = sorted(((index, name) for name, index in moved.items() if name != SCORE), reverse=True)
    figures: dict[str, Any] = {"orders": orders, "cases": len(judged), "psi": round(moved.get(SCORE, 0.0), 6)}
    figures["moved"] = {name: round(index, 4) for index, name in inputs[:_NAMED]}
    alerts = []
    if figures["psi"] > MOST_PSI:
        alerts.append(f"scores have moved: their population stability index is {figures['psi']:.2f}")
    far = [f"{name} ({index:.2f})" for index, name in inputs[:_NAMED] if index > MOST_PSI]
    if far:
        alerts.append(f"orders look different: the population stability indexes of {', '.join(far)} are high")
    if len(judged) >= LEAST:
        said = calibration(np.array([row.probability for row in judged]), np.array([row.is_fraud for row in judged]))
        figures |= {"calibration_error": round(said.error, 6), "calibration_ratio": said.ratio}
        alerts += _miscalibrated(said.ratio, said.ratio_error)
    return figures, alerts


def _miscalibrated(ratio: float | None, error: float | None) -> list[str]:
    low, high = CALIBRATED
    if ratio is None or error is None or (low <= ratio + _SURE * error and ratio - _SURE * error <= high):
        return []
    return [f"probabilities are off: there were {ratio:.2f} times as many frauds as expected"]
