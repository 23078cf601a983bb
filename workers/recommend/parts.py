"""The objects that a ranking process uses: the models on its device, each built on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import due
from workers.runtime import device, metrics
from workers.runtime.bootstrap import Services

if TYPE_CHECKING:  # JAX is imported by the process that owns the device, on first use
    from workers.recommend.serving import Serving


def serving(services: Services) -> Serving:
    """Return the live model with the catalogue on the device, once there is a model."""
    # An idle process swaps to it.
    return _serving(services, kind=due.SHOPPER, metrics_port=services.settings.metrics_port + 1)


def background(services: Services) -> Serving:
    """Return the same for the background worker."""
    return _serving(services, kind=due.LATER, metrics_port=services.settings.metrics_port + 4)


def _serving(services: Services, *, kind: str, metrics_port: int) -> Serving:
    from workers.recommend.serving import Serving  # imports JAX

    device.prepare(services.settings.home)
    metrics.serve(metrics_port)
    return Serving(services.engine, services.settings.home, ready=lambda: services.bell.ring(kind))
