"""What another policy would have earned, estimated from a log with propensities.

Inverse propensity scores weight what was earned by how much likelier the other policy is to choose that price. Doubly
robust estimates begin with what the demand model expects of every price, and correct it by the weighted errors (Dudík,
Langford and Li 2011, ICML 28). Both are right on average where the propensities are true, however wrong the model is.

A figure is of the states that the log visited: what the other policy would have earned from the prices it would have
met there, not from those that it would have led to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats
from jaxtyping import Float, Int

_CONFIDENCE = 0.95


class Round(NamedTuple):
    """One moment at which all items got prices: P that might have been, of which `picked_N` were.

    `share_NxP` are the propensities of the policy that chose, 0 for prices that repeat others. `earned_N` is what came
    of the picked price, `expected_NxP` what the model expected of every one.
    """

    prices_NxP: Float[np.ndarray, "N P"]
    share_NxP: Float[np.ndarray, "N P"]
    picked_N: Int[np.ndarray, " N"]
    earned_N: Float[np.ndarray, " N"]
    expected_NxP: Float[np.ndarray, "N P"]


class Estimate(NamedTuple):
    """Money earned per round, with an interval of 95 %."""

    value: float
    low: float
    high: float


Policy = Callable[[Round], Float[np.ndarray, "N P"]]
"""Returns with which probability a policy chooses each price; only prices that the log's policy may choose."""


def likeliest(round_: Round) -> Float[np.ndarray, "N P"]:
    """Always take the price that the log's policy chooses most often."""
    best_N = round_.share_NxP.argmax(1)
    return (np.arange(round_.share_NxP.shape[1]) == best_N[:, None]).astype(np.float64)


def lower(round_: Round) -> Float[np.ndarray, "N P"]:
    """Let the log's policy choose twice, and take the lower price."""
    order_NxP = np.argsort(round_.prices_NxP, axis=1, kind="stable")
    share_NxP = np.take_along_axis(round_.share_NxP, order_NxP, axis=1)
    above_NxP = 1.0 - np.cumsum(share_NxP, axis=1) + share_NxP
    found_NxP = np.zeros_like(share_NxP)
    # Of two draws the lower is this one if both are at least this, less if both are above it.
    np.put_along_axis(found_NxP, order_NxP, above_NxP**2 - (above_NxP - share_NxP) ** 2, axis=1)
    return found_NxP


def even(round_: Round) -> Float[np.ndarray, "N P"]:
    """Take every price that the log's policy might choose equally often."""
    may_NxP = round_.share_NxP > 0.0
    return may_NxP / may_NxP.sum(1, keepdims=True)


POLICIES: dict[str, Policy] = {"likeliest": likeliest, "lower": lower, "even": even}


def inverse_propensity(rounds: Sequence[Round], policy: Policy) -> Estimate:
    """Return the policy's value by inverse propensity scores. There have to be two rounds at least."""
    return _estimate([float((_weights(each, policy(each)) * each.earned_N).sum()) for each in rounds], 0.0)


def doubly_robust(rounds: Sequence[Round], policy: Policy) -> Estimate:
    """Return the policy's value by the model's expectations, corrected. There have to be two rounds at least."""
    expected, corrections = [], []
    for each in rounds:
        share_NxP = policy(each)
        expected.append(float((share_NxP * each.expected_NxP).sum()))
        missed_N = each.earned_N - np.take_along_axis(each.expected_NxP, each.picked_N[:, None], axis=1)[:, 0]
        corrections.append(float((_weights(each, share_NxP) * missed_N).sum()))
    return _estimate(corrections, float(np.mean(expected)))


def _weights(round_: Round, share_NxP: Float[np.ndarray, "N P"]) -> Float[np.ndarray, " N"]:
    at = round_.picked_N[:, None]
    return (np.take_along_axis(share_NxP, at, axis=1) / np.take_along_axis(round_.share_NxP, at, axis=1))[:, 0]


def _estimate(amounts: Sequence[float], known: float) -> Estimate:
    """Return mean and t-interval of the rounds' amounts: items of one round share what moved demand then."""
    mean, spread = float(np.mean(amounts)), float(np.std(amounts, ddof=1)) / np.sqrt(len(amounts))
    wide = float(scipy.stats.t.ppf(0.5 + 0.5 * _CONFIDENCE, len(amounts) - 1)) * spread
    return Estimate(known + mean, known + mean - wide, known + mean + wide)
