"""Prometheus gauges of fraud detection."""

from __future__ import annotations

from prometheus_client import Gauge
from sqlalchemy import Connection

from storage.registry import drift, models
from workers.runtime import metrics

# The figures of the live detector's newest measurement (`workers/fraud/training/drift.py`).
DRIFT = {
    "psi": Gauge("reshelf_fraud_drift_psi_nats", "Population stability index of the scores against the training"),
    "orders": Gauge("reshelf_fraud_drift_orders", "Orders that were measured"),
    "calibration_error": Gauge("reshelf_fraud_drift_calibration_error_ratio", "Expected calibration error"),
    "calibration_ratio": Gauge("reshelf_fraud_drift_observed_to_expected_ratio", "Frauds that were / frauds expected"),
    "cases": Gauge("reshelf_fraud_drift_cases", "Orders with a known outcome"),
}
DRIFT_ALERT = Gauge(
    "reshelf_fraud_drift_alert", "1 while the live detector's newest measurement raises an alert, else 0"
)
DRIFT_MEASURED = Gauge(
    "reshelf_fraud_drift_measured_timestamp_seconds", "When the live detector was measured; NaN: never"
)


def export(connection: Connection) -> None:
    """Set the gauges from the newest measurement."""
    metrics.export(drift.latest(connection, models.FRAUD), DRIFT, DRIFT_ALERT, DRIFT_MEASURED)
