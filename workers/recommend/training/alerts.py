"""When the live version has drifted: which figures are worth an alert. Pure decisions.

`workers.recommend.training.drift` measures the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEAST = 50
"""A figure of fewer events, shoppers or cases than this is left out, since it cannot tell drift from chance."""
MOST_PSI = 0.25
MOST_UNKNOWN = 0.5
CALIBRATED = (0.5, 2.0)
"""No alert while observed / expected hits is between these."""
SURE = 2.0
"""Standard errors by which a figure has to exceed its bound."""


@dataclass(frozen=True)
class Figures:
    """The figures of a version on one window. None: too few cases (`LEAST`), or nothing to compare with.

    `unknown_items` is the share of `events` on items that the version was not trained on; `new_shoppers` the share of
    the sampled `shoppers` without earlier events. `psi` compares the scores of their rankings with those of the
    version's first measurement; `psi_by_chance` is a bound that it hardly exceeds without drift. The rest is about
    `cases`, the newest baskets: `expected_hits` is the mean probability, by the model, that an item of the basket is
    among its ten best, `observed_hits` the mean share that was. Errors of means and of the ratio are standard errors.
    """

    events: int = 0
    shoppers: int = 0
    cases: int = 0
    unknown_items: float | None = None
    new_shoppers: float | None = None
    psi: float | None = None
    psi_by_chance: float | None = None
    expected_hits: float | None = None
    observed_hits: float | None = None
    calibration_error: float | None = None
    calibration_ratio: float | None = None
    calibration_ratio_error: float | None = None
    ndcg_at_10: float | None = None
    ndcg_at_10_error: float | None = None
    hit_rate_at_10: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it in the form of the table of measurements."""
        return {key: round(value, 6) if isinstance(value, float) else value for key, value in vars(self).items()}


def expected_ndcg(gate: Mapping[str, Any] | None) -> float | None:
    """Return the NDCG@10 that the gate measured of a version, from the registry; None if it had no cases."""
    figures = ((gate or {}).get("figures") or {}).get("candidate") or {}
    value = figures.get("ndcg@10")
    return None if value is None else float(value)


def decide(figures: Figures, gate_ndcg: float | None, *, tolerated: float) -> list[str]:
    """Return the alerts, in words; none if all is well.

    `tolerated` is the share of `gate_ndcg` that the NDCG@10 may lose.
    """
    found = (
        _worse(figures, gate_ndcg, tolerated),
        _moved(figures.psi, figures.psi_by_chance),
        _unknown(figures.unknown_items),
        _miscalibrated(figures.calibration_ratio, figures.calibration_ratio_error),
    )
    return [alert for alert in found if alert is not None]


def _worse(figures: Figures, expected: float | None, tolerated: float) -> str | None:
    own, error = figures.ndcg_at_10, figures.ndcg_at_10_error
    if own is None or error is None or not expected or own + SURE * error >= (1 - tolerated) * expected:
        return None
    return (
        f"NDCG@10 is {own:.4f} on {figures.cases:,} new baskets, {1 - own / expected:.0%} below the {expected:.4f} of "
        "its gate, which is more than chance"
    )


def _moved(psi: float | None, by_chance: float | None) -> str | None:
    if psi is None or by_chance is None or psi <= max(MOST_PSI, by_chance):
        return None
    return f"scores have moved: their population stability index is {psi:.2f}, above {max(MOST_PSI, by_chance):.2f}"


def _unknown(share: float | None) -> str | None:
    if share is None or share <= MOST_UNKNOWN:
        return None
    return f"{share:.0%} of the events are on items that it was not trained on"


def _miscalibrated(ratio: float | None, error: float | None) -> str | None:
    low, high = CALIBRATED
    if ratio is None or error is None or low <= ratio + SURE * error and ratio - SURE * error <= high:
        return None
    return f"probabilities are off: of the hits that it expects {ratio:.2f} times as many happen"
