"""What the workers measure, for Prometheus."""

from __future__ import annotations

import logging

from prometheus_client import Counter, Gauge, Histogram, start_http_server

log = logging.getLogger(__name__)

INTAKE_ROWS = Counter("reshelf_intake_rows", "Rows taken in, by door and outcome", ["door", "outcome"])
INTAKE_SECONDS = Histogram(
    "reshelf_intake_commit_seconds",
    "Time of one intake transaction",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
)
REFRESHED = Counter("reshelf_refreshed", "Due rows brought up to date, by kind", ["kind"])
REFRESH_SECONDS = Histogram(
    "reshelf_refresh_seconds",
    "Time of one refreshed batch, by kind and stage",
    ["kind", "stage"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
ENCODINGS = Counter("reshelf_encodings", "Histories encoded to rank a shelf")
REASON_ENCODINGS = Counter("reshelf_reason_encodings", "Histories encoded to explain a shelf that stands")
FAILED = Counter("reshelf_refresh_failures", "Batches that raised, by kind", ["kind"])
COMPILATIONS = Gauge("reshelf_compilations_after_warm_up", "XLA compilations since the model was warm; stays 0")
DUE = Gauge("reshelf_due", "Due rows, by kind", ["kind"])
OLDEST_DUE = Gauge("reshelf_due_oldest_seconds", "Age of the oldest due row, by kind", ["kind"])

# Of the live version's newest measurement, by the name of the figure (`workers/learn/alerts.py`).
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

# The same of the live detector of fraud (`workers/fraud/drift.py`).
FRAUD_DRIFT = {
    "psi": Gauge("reshelf_fraud_drift_psi_nats", "Population stability index of the scores against the training"),
    "orders": Gauge("reshelf_fraud_drift_orders", "Orders that were looked at"),
    "calibration_error": Gauge("reshelf_fraud_drift_calibration_error_ratio", "Expected calibration error"),
    "calibration_ratio": Gauge("reshelf_fraud_drift_observed_to_expected_ratio", "Frauds that were / frauds expected"),
    "cases": Gauge("reshelf_fraud_drift_cases", "Orders whose truth is known by now"),
}
FRAUD_DRIFT_ALERT = Gauge(
    "reshelf_fraud_drift_alert", "1 while the live detector's newest measurement raises an alert, else 0"
)
FRAUD_DRIFT_MEASURED = Gauge(
    "reshelf_fraud_drift_measured_timestamp_seconds", "When the live detector was measured; NaN: never"
)

ACTORS_FLAGGED = Gauge("reshelf_actors_flagged", "Actors whose events count for nobody but themselves")
ACTORS_ALERT = Gauge("reshelf_actors_alert", "1 while the last look at actors warns of something, else 0")


def serve(port: int) -> None:
    """Serve this process's metrics on loopback. Work goes on where the port is taken."""
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        log.warning("metrics are not served on port %d: %s", port, error)
    else:
        log.info("metrics at port %d", port)
