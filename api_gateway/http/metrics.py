"""The Prometheus metrics of the gateway."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    multiprocess,
)

MEDIA_TYPE = "text/plain; version=0.0.4"
UNMATCHED = "unmatched"
"""The route of a request whose path matches no route."""

_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The counters of one process, or of all processes that share `PROMETHEUS_MULTIPROC_DIR` if that is set."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "reshelf_gateway_requests",
            "Answered requests, by route, method and status",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "reshelf_gateway_request_seconds",
            "Time from request to answer, by route",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._served = Counter(
            "reshelf_gateway_served",
            "Answered lists, by surface and the source of the first item",
            ["surface", "source"],
            registry=self.registry,
        )
        self._rows = Counter(
            "reshelf_gateway_rows",
            "Rows through the doors, by door and outcome",
            ["door", "outcome"],
            registry=self.registry,
        )
        self._screenings = Counter(
            "reshelf_gateway_screenings",
            "Decided orders, by what decided and the decision",
            ["by", "decision"],
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def served(self, surface: str, source: str) -> None:
        """Count a list."""
        self._served.labels(surface, source).inc()

    def screened(self, by: str, decision: str) -> None:
        """Count an order."""
        self._screenings.labels(by, decision).inc()

    def took(self, door: str, *, written: int, duplicates: int, rejected: int) -> None:
        """Count the rows of a batch."""
        for outcome, count in (("written", written), ("duplicates", duplicates), ("rejected", rejected)):
            self._rows.labels(door, outcome).inc(count)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        shared = CollectorRegistry()
        try:
            multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        except ValueError:  # how prometheus-client says that PROMETHEUS_MULTIPROC_DIR is not set
            return generate_latest(self.registry)
        return generate_latest(shared)
