"""The objects that the screening process uses, each built on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.runtime import device, metrics
from workers.runtime.bootstrap import Services

if TYPE_CHECKING:  # JAX is imported on first use
    from workers.fraud.serving import Serving


def serving(services: Services) -> Serving:
    """Return the live detector and the active rules."""
    from workers.fraud.serving import Serving  # imports JAX

    device.prepare(services.settings.home)
    metrics.serve(services.settings.metrics_port + 3)
    return Serving(services.engine, services.settings)
