"""Drift statistics: how far two samples differ, and how well probabilities match outcomes.

All in numpy, and for any model.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

BINS = 10


class Histogram(NamedTuple):
    """Counts of a sample's values: bin 0 below `edges_I[0]`, the last one from `edges_I[-1]` on; I = bins - 1."""

    edges_I: Float[np.ndarray, " I"]
    counts_B: Int[np.ndarray, " B"]


class Calibration(NamedTuple):
    """How well probabilities match outcomes.

    `ratio` is observed / expected, `ratio_error` its standard error if the probabilities are right; both None if
    nothing was expected. `error` is the expected calibration error, in 0..1.
    """

    error: float
    ratio: float | None
    ratio_error: float | None


def histogram(values_N: Float[np.ndarray, " N"], *, bins: int = BINS) -> Histogram:
    """The sample in bins of its own quantiles, with about as many values in each; fewer bins if values repeat.

    Raises ValueError for an empty sample.
    """
    if not len(values_N):
        raise ValueError("a histogram needs at least one value")
    edges_I = np.unique(np.quantile(values_N, np.arange(1, bins) / bins))
    return Histogram(edges_I, counts(edges_I, values_N))


def counts(edges_I: Float[np.ndarray, " I"], values_N: Float[np.ndarray, " N"]) -> Int[np.ndarray, " B"]:
    """How many values are in each bin of a histogram with these edges."""
    return np.bincount(np.searchsorted(edges_I, values_N, side="right"), minlength=len(edges_I) + 1)


def psi(reference_B: Int[np.ndarray, " B"], counts_B: Int[np.ndarray, " B"]) -> float:
    """The population stability index, sum of (p - q) ln(p / q) over the shares of the bins, in nats; 0 is no change.

    The sum of the two Kullback-Leibler divergences. By convention .1 is small and .25 large (Siddiqi 2006, Credit Risk
    Scorecards). Half a value is added to every bin, so that an empty one gives no infinity.
    """
    shares = [(side + 0.5) / (side.sum() + 0.5 * len(side)) for side in (reference_B, counts_B)]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def psi_by_chance(bins: int, reference: int, values: int) -> float:
    """What the index of two samples of the same distribution hardly exceeds: mean + 3 standard deviations.

    It is then about chi-square of bins - 1 degrees of freedom, times 1 / reference + 1 / values (Yurdakul and Naranjo
    2020, Journal of Risk Model Validation 14(4)).
    """
    freedom = bins - 1
    return (freedom + 3 * math.sqrt(2 * freedom)) * (1 / reference + 1 / values)


def calibration(
    probabilities_S: Float[np.ndarray, " S"], outcomes_S: Float[np.ndarray, " S"], *, bins: int = BINS
) -> Calibration:
    """Compares probabilities with outcomes; an outcome is 0 or 1, or a share in between.

    The error is that of Guo et al. 2017 (ICML): |mean probability - mean outcome| within bins of equal width, weighted
    by the number of cases in a bin. Raises ValueError without cases.
    """
    if not len(probabilities_S):
        raise ValueError("a calibration needs at least one case")
    bin_S = np.minimum((probabilities_S * bins).astype(int), bins - 1)
    # The count of a bin cancels out of the product of its weight and its mean.
    gaps_B = np.bincount(bin_S, weights=probabilities_S - outcomes_S, minlength=bins)
    error = float(np.abs(gaps_B).sum()) / len(probabilities_S)
    expected = float(probabilities_S.sum())
    if expected <= 0:
        return Calibration(error, None, None)
    spread = math.sqrt(float((probabilities_S * (1 - probabilities_S)).clip(0).sum()))
    return Calibration(error, float(outcomes_S.sum()) / expected, spread / expected)
