"""The dispersion of counts: 1 for Poisson, more where shocks last, and borrowed where there is little data."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from model.pricing import dispersions

ITEMS, PERIODS = 8, 512


def estimated(units_NxT: np.ndarray, weight_NxT: np.ndarray | None = None) -> np.ndarray:
    mean_NxT = jnp.full(units_NxT.shape, 10.0)
    weight = jnp.ones(units_NxT.shape) if weight_NxT is None else jnp.asarray(weight_NxT, jnp.float32)
    return np.asarray(dispersions.estimate(jnp.asarray(units_NxT, jnp.float32), mean_NxT, weight))


def test_poisson_counts_have_a_dispersion_of_one() -> None:
    units_NxT = np.random.default_rng(0).poisson(10.0, (ITEMS, PERIODS))
    assert estimated(units_NxT).mean() == pytest.approx(1.0, abs=0.15)


def test_shocks_that_last_a_week_count_more_than_shocks_of_a_day() -> None:
    random = np.random.default_rng(1)
    days, weeks = (np.exp(0.2 * random.standard_normal((ITEMS, n))) for n in (PERIODS, PERIODS // 7 + 1))
    lasting_NxT = weeks.repeat(7, axis=1)[:, :PERIODS]
    short, lasting = (estimated(random.poisson(10.0 * shock)).mean() for shock in (days, lasting_NxT))
    assert lasting > 2.0 * short


def test_an_item_without_data_has_the_dispersion_of_the_others() -> None:
    units_NxT = 4 * np.random.default_rng(2).poisson(2.5, (ITEMS, PERIODS))
    weight_NxT = np.ones((ITEMS, PERIODS))
    weight_NxT[0] = 0.0
    found = estimated(units_NxT, weight_NxT)
    assert found[0] == pytest.approx(found[1:].mean(), rel=0.2)
