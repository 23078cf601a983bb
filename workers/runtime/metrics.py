"""The Prometheus metrics of the workers."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

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
REASON_ENCODINGS = Counter("reshelf_reason_encodings", "Histories encoded to explain an existing shelf")
FAILED = Counter("reshelf_refresh_failures", "Batches that raised, by kind", ["kind"])
COMPILATIONS = Gauge("reshelf_compilations_after_warm_up", "XLA compilations since the model was warm; stays 0")
HUNG = Counter("reshelf_hung_children", "Child processes of this worker that hung and were killed")
DUE = Gauge("reshelf_due", "Due rows, by kind", ["kind"])
OLDEST_DUE = Gauge("reshelf_due_oldest_seconds", "Age of the oldest due row, by kind", ["kind"])


def serve(port: int) -> None:
    """Serve this process's metrics on loopback. If the port is taken, only log it."""
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        log.warning("metrics are not served on port %d: %s", port, error)
    else:
        log.info("metrics at port %d", port)


def export(measured: Any, gauges: Mapping[str, Gauge], alert: Gauge, at: Gauge) -> None:
    """Set the gauges of a drift measurement from its row, so that they outlast the worker that measured it.

    Unknown figures are NaN.
    """
    figures = {} if measured is None else measured.figures
    for name, gauge in gauges.items():
        value = figures.get(name)
        gauge.set(math.nan if value is None else value)
    alert.set(0 if measured is None else measured.alert is not None)
    at.set(math.nan if measured is None else measured.measured_at.timestamp())
