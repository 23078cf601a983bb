"""How the demand for each item answers to its price: a hierarchical Bayesian count model.

For item i at time t, with price p and a reference price p_i:

    units ~ quasi-Poisson(mu),  log mu = offset + level_i - exp(slope_i) * r(log(p / p_i)) + covariates . effects_i

`r(x) = (exp(bend * x) - 1) / bend`, and x for a bend of 0: with a bend of 0 the elasticity is the same at every price,
with a higher one it grows with the price, as it does for linear and logit demand. The bend is averaged over
(`BENDS`), by how well each explains the data of a category. A higher price never sells more: exp(slope) > 0.

Level, slope and effects of an item are drawn from a normal distribution of its category, whose mean and variance are
estimated from all items (empirical Bayes by EM; Gelman and Hill 2007, ch. 12). An item with little data therefore
borrows from its category, and a category with few items from all. The posterior of an item is Gaussian around its mode
(Laplace's approximation; Bishop 2006, 4.4), found by Fisher scoring.

Endogenous prices: where the merchant raised prices when demand was high, `covariates` carry the residual of a
regression of log price on cost and the other covariates. Its effect absorbs what moved both (control function; Petrin
and Train 2010, Journal of Marketing Research 47).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from model.pricing import dispersions

BENDS = (0.0, 1.0, 2.5, 5.0)

# EM rounds and scoring steps, from nothing and from an earlier posterior.
_FRESH, _WARM = (12, 8), (2, 3)
_LONGEST_STEP = 1.0
# Of a prior before any data: a level is anything, an elasticity is about 2.6, give or take a factor of two (the mean of
# 1,851 published ones; Bijmolt, van Heerde and Pieters 2005, Journal of Marketing Research 42).
_LEVEL_SPREAD, _SLOPE_MEAN, _SLOPE_SPREAD, _EFFECT_SPREAD = 2.0, 0.96, 0.7, 0.5
# How much of that variance usually lies between categories, and how much within.
_BETWEEN, _WITHIN = 0.5, 0.25
_LEAST_VARIANCE = 1e-3
# The usual variances count for as much as so many items and categories.
_PRIOR_ITEMS, _PRIOR_CATEGORIES = 4.0, 2.0
# Of the prior of the bends: no bend is ruled out.
_LEAST_SHARE, _PRIOR_ROUNDS = 0.1, 20


class Sales(NamedTuple):
    """What was sold, by item and time; rows are padded with weight 0.

    `units_NxT` >= 0; `price_NxT` is log(price / reference price); `covariates_NxTxC`; `offset_NxT` is log exposure,
    such as days in stock and season; `weight_NxT` in [0, 1] forgets what is long ago.
    """

    units_NxT: Float[np.ndarray, "N T"]
    price_NxT: Float[np.ndarray, "N T"]
    covariates_NxTxC: Float[np.ndarray, "N T C"]
    offset_NxT: Float[np.ndarray, "N T"]
    weight_NxT: Float[np.ndarray, "N T"]


class Prior(NamedTuple):
    """Means by category ("K D") and variances ("D") of level, slope and effects; D = 2 + C."""

    mean_KxD: Float[Array, "K D"]
    variance_D: Float[Array, " D"]


class Posterior(NamedTuple):
    """Gaussian posteriors by bend (S of them) and item, and how much each bend is believed, by category.

    `dispersion` is the variance of an item's units divided by their mean; `mean` and `variance` are the priors that
    were estimated.
    """

    mode_SxNxD: Float[np.ndarray, "S N D"]
    covariance_SxNxDxD: Float[np.ndarray, "S N D D"]
    bend_KxS: Float[np.ndarray, "K S"]
    category_N: Int[np.ndarray, " N"]
    dispersion_N: Float[np.ndarray, " N"]
    mean_SxKxD: Float[np.ndarray, "S K D"]
    variance_SxD: Float[np.ndarray, "S D"]


class Draws(NamedTuple):
    """Parameters drawn from a posterior: for each draw M and item N."""

    level_MxN: Float[np.ndarray, "M N"]
    elasticity_MxN: Float[np.ndarray, "M N"]
    bend_MxN: Float[np.ndarray, "M N"]
    effects_MxNxC: Float[np.ndarray, "M N C"]


def fit(
    sales: Sales,
    category_N: Int[np.ndarray, " N"],
    *,
    period_days: float = 1.0,
    pooled: bool = True,
    start: Posterior | None = None,
) -> Posterior:
    """Return the posterior of every item. `category_N` are numbers from 0 on; a period of `sales` has so many days.

    Without `pooled` the prior stays what it is before any data: items share nothing but the bend of their category.
    `start` is a posterior of the same items from a little less data: a few steps from it are enough, which takes a
    fraction of the time.
    """
    categories = int(category_N.max(initial=0)) + 1
    member_NxK = jnp.asarray(np.eye(categories, dtype=np.float32)[category_N])
    data = Sales(*(jnp.asarray(column, jnp.float32) for column in sales))
    fresh, warm = (_How(pooled, period_days, *effort) for effort in (_FRESH, _WARM))
    if start is None:
        first = _first(data, member_NxK)
        # The dispersion is that around a first fit.
        fits = _fits(data, member_NxK, [first] * len(BENDS), fresh)
        states = [first._replace(dispersion_N=_best(fits).dispersion_N)] * len(BENDS)
        fits = _fits(data, member_NxK, states, fresh)
    else:
        fits = _fits(data, member_NxK, _states(start), warm)
    evidence_NxS = jnp.stack([each.evidence_N for each in fits], axis=1)
    bend_KxS = _believed(member_NxK.T @ evidence_NxS) if pooled else jax.nn.softmax(member_NxK.T @ evidence_NxS, axis=1)
    return Posterior(
        np.stack([np.asarray(each.mode_NxD) for each in fits]),
        np.stack([np.asarray(each.covariance_NxDxD) for each in fits]),
        np.asarray(bend_KxS),
        np.asarray(category_N),
        np.asarray(_best(fits).dispersion_N),
        np.stack([np.asarray(each.prior.mean_KxD) for each in fits]),
        np.stack([np.asarray(each.prior.variance_D) for each in fits]),
    )


def draw(posterior: Posterior, count: int, *, seed: int) -> Draws:
    """Return `count` draws of every item's parameters."""
    random = np.random.default_rng(seed)
    _, items, width = posterior.mode_SxNxD.shape
    chances_NxS = np.cumsum(posterior.bend_KxS[posterior.category_N], axis=1)
    shape_MxN = (random.random((count, items))[..., None] > chances_NxS[None, :, :-1]).sum(-1)
    root_SxNxDxD = np.linalg.cholesky(posterior.covariance_SxNxDxD + 1e-9 * np.eye(width))
    at = np.arange(items)
    noise_MxNxD = random.standard_normal((count, items, width))
    theta = posterior.mode_SxNxD[shape_MxN, at] + np.einsum("mnde,mne->mnd", root_SxNxDxD[shape_MxN, at], noise_MxNxD)
    bends = np.asarray(BENDS)[shape_MxN]
    return Draws(theta[..., 0], np.exp(theta[..., 1]), bends, theta[..., 2:])


def log_likelihood(posterior: Posterior, sales: Sales, *, last: int) -> float:
    """Return how likely the units of the last periods are at the modes, by the bends that are believed."""
    total_SxN = []
    for bend, mode_NxD in zip(BENDS, posterior.mode_SxNxD, strict=True):
        drop_NxT = np.exp(mode_NxD[:, 1:2]) * response(sales.price_NxT, np.float64(bend))
        eta_NxT = sales.offset_NxT + mode_NxD[:, :1] - drop_NxT
        eta_NxT = np.clip(eta_NxT + np.einsum("ntc,nc->nt", sales.covariates_NxTxC, mode_NxD[:, 2:]), -15.0, 15.0)
        heft_NxT = np.where(sales.weight_NxT > 0, 1.0, 0.0)[:, -last:]
        total_SxN.append((heft_NxT * (sales.units_NxT * eta_NxT - np.exp(eta_NxT))[:, -last:]).sum(1))
    return float((posterior.bend_KxS[posterior.category_N].T * np.stack(total_SxN)).sum())


def expected(posterior: Posterior, sales: Sales) -> Float[np.ndarray, "N T"]:
    """Return the mean units of every item and time at the modes, by the bends that are believed."""
    total_NxT = np.zeros(sales.units_NxT.shape)
    effects_SxNxT = np.einsum("ntc,snc->snt", sales.covariates_NxTxC, posterior.mode_SxNxD[..., 2:])
    for bend, mode_NxD, effects_NxT, share_K in zip(
        BENDS, posterior.mode_SxNxD, effects_SxNxT, posterior.bend_KxS.T, strict=True
    ):
        drop_NxT = np.exp(mode_NxD[:, 1:2]) * response(sales.price_NxT, np.float64(bend))
        eta_NxT = np.clip(sales.offset_NxT + mode_NxD[:, :1] - drop_NxT + effects_NxT, -15.0, 15.0)
        total_NxT += share_K[posterior.category_N][:, None] * np.exp(eta_NxT)
    return total_NxT


def response(price: Float[np.ndarray, ...], bend: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Return r(log relative price) for each bend; both broadcast."""
    safe = np.where(bend == 0.0, 1.0, bend)
    return np.where(bend == 0.0, price, np.expm1(safe * price) / safe)


def elasticity(draws: Draws, price_N: Float[np.ndarray, " N"]) -> Float[np.ndarray, "M N"]:
    """Return -d log units / d log price at a log relative price, for each draw: how much is lost by 1 % more."""
    return draws.elasticity_MxN * np.exp(draws.bend_MxN * price_N)


class _State(NamedTuple):
    """Where a fit begins."""

    mode_NxD: Array
    prior: Prior
    dispersion_N: Array


class _How(NamedTuple):
    """How a fit is made: EM rounds, scoring steps in each, and how long a period is."""

    pooled: bool
    period_days: float
    rounds: int
    steps: int


class _Fit(NamedTuple):
    mode_NxD: Array
    prior: Prior
    covariance_NxDxD: Array
    evidence_N: Array
    dispersion_N: Array


def _states(start: Posterior) -> list[_State]:
    columns = zip(start.mode_SxNxD, start.mean_SxKxD, start.variance_SxD, strict=True)
    dispersion_N = jnp.asarray(start.dispersion_N)
    return [_State(jnp.asarray(mode), Prior(jnp.asarray(mean), jnp.asarray(variance)), dispersion_N)
            for mode, mean, variance in columns]  # fmt: skip


def _fits(data: Sales, member_NxK: Array, states: Sequence[_State], how: _How) -> list[_Fit]:
    return [
        _fitted(data, member_NxK, jnp.float32(bend), state, how=how) for bend, state in zip(BENDS, states, strict=True)
    ]


@jax.jit
def _believed(evidence_KxS: Array) -> Array:
    """Return how much each bend is believed: categories of one shop seldom differ in it, so they share a prior.

    The prior is the one that all evidence is most likely under (EM).
    """

    def round_(prior_S: Array, _: None) -> tuple[Array, None]:
        share_KxS = jax.nn.softmax(evidence_KxS + jnp.log(prior_S)[None], axis=1)
        return (share_KxS.sum(0) + _LEAST_SHARE) / (len(share_KxS) + _LEAST_SHARE * len(prior_S)), None

    bends = evidence_KxS.shape[1]
    prior_S, _ = jax.lax.scan(round_, jnp.full(bends, 1.0 / bends), None, length=_PRIOR_ROUNDS)
    return jax.nn.softmax(evidence_KxS + jnp.log(prior_S)[None], axis=1)


def _best(fits: Sequence[_Fit]) -> _Fit:
    return fits[int(np.argmax([float(each.evidence_N.sum()) for each in fits]))]


@partial(jax.jit, static_argnames=("how",))
def _fitted(data: Sales, member_NxK: Array, bend: Array, start: _State, *, how: _How) -> _Fit:
    dispersion_N = start.dispersion_N

    def round_(carry: tuple[Array, Prior], _: None) -> tuple[tuple[Array, Prior], None]:
        mode_NxD, prior = carry
        mode_NxD = _modes(data, member_NxK, bend, dispersion_N, prior, mode_NxD, how.steps)
        covariance_NxDxD = jnp.linalg.inv(_precision(data, bend, dispersion_N, prior, mode_NxD))
        return (mode_NxD, _updated(mode_NxD, covariance_NxDxD, member_NxK) if how.pooled else prior), None

    (mode_NxD, prior), _ = jax.lax.scan(round_, (start.mode_NxD, start.prior), None, length=how.rounds)
    mode_NxD = _modes(data, member_NxK, bend, dispersion_N, prior, mode_NxD, how.steps)
    precision_NxDxD = _precision(data, bend, dispersion_N, prior, mode_NxD)
    eta_NxT, _ = _predicted(data, bend, mode_NxD)
    gap_NxD = mode_NxD - member_NxK @ prior.mean_KxD
    evidence_N = (
        _likelihood(data, eta_NxT, dispersion_N)
        - 0.5 * (gap_NxD**2 / prior.variance_D[None, :]).sum(1)
        - 0.5 * jnp.log(prior.variance_D).sum()
        - 0.5 * jnp.linalg.slogdet(precision_NxDxD)[1]
    )
    return _Fit(
        mode_NxD,
        prior,
        jnp.linalg.inv(precision_NxDxD),
        evidence_N,
        dispersions.estimate(data.units_NxT, jnp.exp(eta_NxT), data.weight_NxT, period_days=how.period_days),
    )


@jax.jit
def _first(data: Sales, member_NxK: Array) -> _State:
    width = 2 + data.covariates_NxTxC.shape[-1]
    exposure_N = (jnp.exp(data.offset_NxT) * data.weight_NxT).sum(1)
    rate_N = (data.units_NxT * data.weight_NxT).sum(1) / jnp.maximum(exposure_N, 1e-9)
    mode_NxD = jnp.zeros((len(rate_N), width)).at[:, 0].set(jnp.log(rate_N + 0.05)).at[:, 1].set(_SLOPE_MEAN)
    mean_D = jnp.zeros(width).at[0].set(mode_NxD[:, 0].mean()).at[1].set(_SLOPE_MEAN)
    prior = Prior(jnp.tile(mean_D, (member_NxK.shape[1], 1)), _spread_D(width) ** 2)
    return _State(mode_NxD, prior, jnp.ones(len(rate_N)))


def _spread_D(width: int) -> Array:
    return jnp.full(width, _EFFECT_SPREAD).at[0].set(_LEVEL_SPREAD).at[1].set(_SLOPE_SPREAD)


def _predicted(data: Sales, bend: Array, mode_NxD: Array) -> tuple[Array, Array]:
    """Return log mu ("N T") and its derivative by the parameters ("N T D")."""
    safe = jnp.where(bend == 0.0, 1.0, bend)
    r_NxT = jnp.where(bend == 0.0, data.price_NxT, jnp.expm1(safe * data.price_NxT) / safe)
    drop_NxT = jnp.exp(mode_NxD[:, 1:2]) * r_NxT
    effects_NxT = jnp.einsum("ntc,nc->nt", data.covariates_NxTxC, mode_NxD[:, 2:])
    eta_NxT = data.offset_NxT + mode_NxD[:, :1] - drop_NxT + effects_NxT
    ones = jnp.ones_like(r_NxT)
    slope_NxTxD = jnp.concatenate([jnp.stack([ones, -drop_NxT], -1), data.covariates_NxTxC], -1)
    return jnp.clip(eta_NxT, -15.0, 15.0), slope_NxTxD


def _likelihood(data: Sales, eta_NxT: Array, dispersion_N: Array) -> Array:
    return (data.weight_NxT * (data.units_NxT * eta_NxT - jnp.exp(eta_NxT))).sum(1) / dispersion_N


def _precision(data: Sales, bend: Array, dispersion_N: Array, prior: Prior, mode_NxD: Array) -> Array:
    eta_NxT, slope_NxTxD = _predicted(data, bend, mode_NxD)
    heft_NxT = data.weight_NxT * jnp.exp(eta_NxT) / dispersion_N[:, None]
    fisher_NxDxD = jnp.einsum("nt,ntd,nte->nde", heft_NxT, slope_NxTxD, slope_NxTxD)
    return fisher_NxDxD + jnp.diag(1.0 / prior.variance_D)[None]


def _modes(
    data: Sales, member_NxK: Array, bend: Array, dispersion_N: Array, prior: Prior, start_NxD: Array, steps: int
) -> Array:
    mean_NxD = member_NxK @ prior.mean_KxD

    def step(mode_NxD: Array, _: None) -> tuple[Array, None]:
        eta_NxT, slope_NxTxD = _predicted(data, bend, mode_NxD)
        miss_NxT = data.weight_NxT * (data.units_NxT - jnp.exp(eta_NxT)) / dispersion_N[:, None]
        gradient_NxD = (
            jnp.einsum("nt,ntd->nd", miss_NxT, slope_NxTxD) - (mode_NxD - mean_NxD) / prior.variance_D[None, :]
        )
        precision_NxDxD = _precision(data, bend, dispersion_N, prior, mode_NxD)
        move_NxD = jnp.linalg.solve(precision_NxDxD, gradient_NxD[..., None])[..., 0]
        length_N = jnp.abs(move_NxD).max(1, keepdims=True)
        return mode_NxD + move_NxD * jnp.minimum(1.0, _LONGEST_STEP / jnp.maximum(length_N, 1e-9)), None

    return jax.lax.scan(step, start_NxD, None, length=steps)[0]


def _updated(mode_NxD: Array, covariance_NxDxD: Array, member_NxK: Array) -> Prior:
    """Return the prior that the items' posteriors are most likely under, held back by a prior of its own."""
    usual_D = _spread_D(mode_NxD.shape[1]) ** 2
    size_Kx1 = jnp.maximum(member_NxK.sum(0)[:, None], 1e-9)
    unsure_NxD = jnp.diagonal(covariance_NxDxD, axis1=1, axis2=2)
    mean_KxD = member_NxK.T @ mode_NxD / size_Kx1
    within_D = (((mode_NxD - member_NxK @ mean_KxD) ** 2 + unsure_NxD).sum(0) + _PRIOR_ITEMS * _WITHIN * usual_D) / (
        len(mode_NxD) + _PRIOR_ITEMS
    )
    # A category's mean is as sure as its items are many.
    overall_D, noise_KxD = mode_NxD.mean(0), within_D[None] / size_Kx1
    spread_D = jnp.maximum((mean_KxD - overall_D[None]) ** 2 - noise_KxD, 0.0).sum(0)
    between_D = (spread_D + _PRIOR_CATEGORIES * _BETWEEN * usual_D) / (len(mean_KxD) + _PRIOR_CATEGORIES)
    keep_KxD = between_D[None] / (between_D[None] + noise_KxD)
    mean_KxD = overall_D[None] + keep_KxD * (mean_KxD - overall_D[None])
    return Prior(mean_KxD, jnp.maximum(within_D, _LEAST_VARIANCE))
