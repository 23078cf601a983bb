"""Recent popularity: each item's events, halved in weight for every half-life that has passed since.

Neither a network nor counted transitions know the date. With this score, the network need not forget what was popular
last month to rank well today (popularity that decays is as old as time-aware recommendation: Koren 2010, CACM 53(4),
gives each item a bias that moves with time).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from model.recommend.config import RecommendConfig
from model.recommend.events import Interactions

_DAY = 86_400.0


def faded(
    events: Interactions, catalogue: int, config: RecommendConfig, *, at: float | None = None
) -> Float32[np.ndarray, " N"]:
    """The decayed events of each item at the time `at` (unix seconds), of those before it; by default after the last.

    An event counts the weight of its kind. All are 0 if `config.trend_days` is 0.
    """
    if not config.trend_days or not len(events.at_E):
        return np.zeros(catalogue, np.float32)
    at = float(np.nextafter(events.at_E.max(), np.inf)) if at is None else at
    past_E = events.at_E < at
    gains_K = np.maximum(np.asarray(config.kind_weights), 0.0) / max(config.kind_weights)
    weights_E = gains_K[events.kinds_E[past_E]] * halved(at - events.at_E[past_E], config.trend_days)
    return np.bincount(events.items_E[past_E], weights=weights_E, minlength=catalogue).astype(np.float32)


def halved(age_E: Float[np.ndarray, " E"], days: float) -> Float[np.ndarray, " E"]:
    """The weights of events of these ages (seconds): 1 for a new one, half as much for every `days`."""
    weights_E: Float[np.ndarray, " E"] = 0.5 ** (age_E / (days * _DAY))
    return weights_E
