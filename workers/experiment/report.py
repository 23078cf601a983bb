"""The report of an experiment: rates by arm, each arm compared with the control, and a verdict. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from storage.experiment.experiments import Arm, Experiment, Outcome
from workers.experiment import confidence
from workers.experiment.confidence import Tally

CLICK, ADD_TO_CART, PURCHASE = "click", "add_to_cart", "purchase"
METRICS = (CLICK, ADD_TO_CART, PURCHASE)
PRIMARY = CLICK
"""The metric that decides an experiment: the one that a change of the shelf affects first."""

_Note = msgspec.Meta


class Rate(msgspec.Struct, frozen=True):
    """The share of an arm's exposed shoppers who did something after their exposure, with its interval."""

    shoppers: Annotated[int, _Note(description="Exposed shoppers who did it.")]
    rate: float
    low: float
    high: float


class ArmReport(msgspec.Struct, frozen=True):
    """The outcome of one arm."""

    name: Annotated[str, _Note(examples=["control"])]
    treatment: Annotated[str, _Note(description="`live`, `popular` or `version:…`.", examples=["live"])]
    share: Annotated[float, _Note(description="Of all shoppers.")]
    exposed: Annotated[int, _Note(description="Shoppers of this arm who saw the surface since the start.")]
    impressions: int
    clicks: int
    click_through: Annotated[float | None, _Note(description="Clicks per impression; null without impressions.")]
    rates: Annotated[dict[str, Rate], _Note(description="By metric: `click`, `add_to_cart`, `purchase`.")]


class Difference(msgspec.Struct, frozen=True):
    """How an arm differs from the control in one metric. The intervals hold for all looks together."""

    arm: str
    metric: str
    primary: Annotated[bool, _Note(description="Whether the experiment is decided by this metric.")]
    difference: Annotated[float, _Note(description="In points of rate: 0.01 is one shopper more in a hundred.")]
    difference_low: float
    difference_high: float
    lift: Annotated[float | None, _Note(description="Relative to the control's rate: 0.1 is ten per cent more.")]
    lift_low: float | None
    lift_high: float | None
    p_value: Annotated[float, _Note(description="Always valid; not corrected for the number of arms.")]
    verdict: Annotated[str, _Note(description="`better`, `worse` or `no difference yet`; corrected for the arms.")]


class ArmPlan(msgspec.Struct, frozen=True):
    """The definition of an arm."""

    name: Annotated[str, _Note(examples=["control"])]
    treatment: Annotated[str, _Note(description="`live`, `popular` or `version:…`.", examples=["live"])]
    share: Annotated[float, _Note(description="Of all shoppers.")]


class Summary(msgspec.Struct, frozen=True):
    """The definition and state of an experiment."""

    name: Annotated[str, _Note(examples=["new-model"])]
    surface: Annotated[str, _Note(examples=["home"])]
    canary: Annotated[bool, _Note(description="Whether it is stopped by itself where it does harm.")]
    running: bool
    started_at: datetime | None
    stopped_at: datetime | None
    stopped_because: str | None
    arms: Annotated[list[ArmPlan], _Note(description="The control comes first.")]


class Report(msgspec.Struct, frozen=True):
    """The outcome of an experiment so far."""

    experiment: Summary
    primary: Annotated[str, _Note(description="The metric that the experiment is decided by.")]
    confidence: Annotated[
        float,
        _Note(description="Of the interval of a rate, and of all differences in one metric together; at every look."),
    ]
    arms: list[ArmReport]
    differences: list[Difference]


def summary(experiment: Experiment) -> Summary:
    """Return the definition and state of an experiment."""
    return Summary(
        experiment.name,
        experiment.surface,
        experiment.canary,
        experiment.stopped_at is None,
        experiment.started_at,
        experiment.stopped_at,
        experiment.stopped_because,
        [ArmPlan(arm.name, arm.treatment, arm.share) for arm in experiment.arms],
    )


def build(experiment: Experiment, outcomes: Mapping[str, Outcome], alpha: float = confidence.ALPHA) -> Report:
    """Return the report of the outcomes.

    Each metric has its own `alpha`, divided among the arms other than the control (Bonferroni). The primary metric
    decides; to decide by another metric, choose it before the start.
    """
    control, *others = experiment.arms
    each = alpha / len(others)
    return Report(
        summary(experiment),
        PRIMARY,
        1 - alpha,
        [_arm(arm, outcomes[arm.name], alpha) for arm in experiment.arms],
        [
            _difference(arm, metric, outcomes[arm.name], outcomes[control.name], each)
            for metric in METRICS
            for arm in others
        ],
    )


def tally(outcome: Outcome, metric: str) -> Tally:
    """Return how many of the exposed shoppers did what the metric counts."""
    counts = {CLICK: outcome.clicked, ADD_TO_CART: outcome.carted, PURCHASE: outcome.purchased}
    return Tally(counts[metric], outcome.exposed)


def _arm(arm: Arm, outcome: Outcome, alpha: float) -> ArmReport:
    return ArmReport(
        arm.name,
        arm.treatment,
        arm.share,
        outcome.exposed,
        outcome.impressions,
        outcome.clicks,
        outcome.clicks / outcome.impressions if outcome.impressions else None,
        {metric: _rate(tally(outcome, metric), alpha) for metric in METRICS},
    )


def _rate(found: Tally, alpha: float) -> Rate:
    return Rate(found.successes, found.rate, *confidence.rate_interval(found, alpha))


def _difference(arm: Arm, metric: str, outcome: Outcome, control: Outcome, alpha: float) -> Difference:
    found = confidence.compare(tally(outcome, metric), tally(control, metric), alpha)
    return Difference(arm.name, metric, metric == PRIMARY, *found)
