"""The objects that the search process uses, each built on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import due
from workers.runtime import device, metrics
from workers.runtime.bootstrap import Services

if TYPE_CHECKING:  # JAX is imported on first use
    from workers.search.serving import Serving
    from workers.search.tastes import Vectors


def serving(services: Services) -> Serving:
    """Return the catalogue in memory, to be searched."""
    from workers.search import synonyms  # these import JAX
    from workers.search.serving import Serving

    settings = services.settings
    device.prepare(settings.home)
    metrics.serve(settings.metrics_port + 2)
    return Serving(
        services.nondurable,
        settings.home,
        synonyms=synonyms.read(settings.search_synonyms),
        ready=lambda: services.bell.ring(due.CATALOGUE),
    )


def tastes(_: Services) -> Vectors:
    """Return the recommender's vectors, for personalised results."""
    from workers.search.tastes import Vectors

    return Vectors()
