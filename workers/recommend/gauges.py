"""Prometheus gauges of the recommender."""

from __future__ import annotations

from prometheus_client import Gauge
from sqlalchemy import Connection

from storage.registry import drift
from workers.runtime import metrics

# The figures of the live version's newest measurement, by name (`workers/recommend/training/alerts.py`).
DRIFT = {
    "unknown_items": Gauge("reshelf_drift_unknown_items_ratio", "Share of events on items the model never trained on"),
    "new_shoppers": Gauge("reshelf_drift_new_shoppers_ratio", "Share of active shoppers who did nothing before"),
    "psi": Gauge("reshelf_drift_psi_nats", "Population stability index of the scores against the first measurement"),
    "calibration_error": Gauge("reshelf_drift_calibration_error_ratio", "Expected calibration error of the top ten"),
    "calibration_ratio": Gauge("reshelf_drift_observed_to_expected_ratio", "Hits that happened / hits expected"),
    "ndcg_at_10": Gauge("reshelf_drift_ndcg_at_10_ratio", "NDCG@10 on the newest baskets"),
    "ndcg_at_10_error": Gauge("reshelf_drift_ndcg_at_10_error_ratio", "Standard error of that NDCG@10"),
    "hit_rate_at_10": Gauge("reshelf_drift_hit_rate_at_10_ratio", "Hit rate@10 on the newest baskets"),
    "cases": Gauge("reshelf_drift_cases", "Newest baskets that were predicted"),
}
DRIFT_ALERT = Gauge("reshelf_drift_alert", "1 while the live version's newest measurement raises an alert, else 0")
DRIFT_MEASURED = Gauge("reshelf_drift_measured_timestamp_seconds", "When the live version was measured; NaN: never")


def export(connection: Connection) -> None:
    """Set the gauges from the newest measurement."""
    metrics.export(drift.latest(connection), DRIFT, DRIFT_ALERT, DRIFT_MEASURED)
