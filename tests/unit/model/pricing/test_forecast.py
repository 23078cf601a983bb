"""Forecasting units by week: what a row may know, a curve that only falls, and a trained ensemble on a known shop."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.errors import DataError
from model.pricing.forecast import features, network, training
from model.pricing.forecast.panel import Panel, filled, lagged, smoothed
from model.pricing.forecast.training import TrainingConfig

STORES, ITEMS, WEEKS = 8, 3, 60
SLOPES = np.array([1.5, 2.5, 3.5])
QUICK = TrainingConfig(members=2, width=32, epochs=30, rate=5e-3, batch=256)


def panel(seed: int = 0) -> Panel:
    """Return a shop whose items have the elasticities `SLOPES`, and deals that sell half as much again."""
    random = np.random.default_rng(seed)
    shape = (STORES, ITEMS, WEEKS)
    price = 2.0 * np.exp(0.15 * random.standard_normal(shape))
    deal = (random.random(shape) < 0.2).astype(float)
    level = np.exp(random.normal(4.0, 0.4, (STORES, ITEMS, 1)))
    units = random.poisson(level * (price / 2.0) ** -SLOPES[None, :, None] * (1 + 0.5 * deal)).astype(float)
    names = tuple(f"s{n}" for n in range(STORES)), tuple(f"i{n}" for n in range(ITEMS))
    return Panel(units, price, deal, 0.0 * deal, price * 0.7, *names, tuple(map(str, range(WEEKS))))


def test_gaps_are_filled_from_before_and_means_look_back_only() -> None:
    values = np.array([[[np.nan, 2.0, np.nan, 4.0]]])
    assert filled(values).tolist() == [[[3.0, 2.0, 2.0, 4.0]]]
    means = smoothed(np.nan_to_num(values), ~np.isnan(values), 1.0)[0, 0]
    assert np.isnan(means[0])
    assert means[1:].tolist() == pytest.approx([2.0, 2.0, (4.0 + 2.0 * 0.25) / 1.25])
    assert lagged(values, 2)[0, 0, 2:].tolist()[1:] == [2.0]


@pytest.mark.parametrize("horizon", [1, 4])
def test_no_row_knows_what_is_sold_after_its_origin(horizon: int) -> None:
    known = panel()
    changed = known.units_SxIxW.copy()
    changed[..., 40:] *= 3.0
    train_S = np.ones(STORES, bool)
    before, after = (features.build(p, horizon, train_S) for p in (known, known._replace(units_SxIxW=changed)))
    seen = 40 + horizon
    for name in ("context_SxIxWxF", "price_SxIxW", "level_SxIxW"):
        np.testing.assert_array_equal(getattr(before, name)[:, :, :seen], getattr(after, name)[:, :, :seen])
    assert not np.array_equal(before.level_SxIxW[:, :, seen:], after.level_SxIxW[:, :, seen:])


def test_an_imagined_price_of_another_item_changes_the_others_alone() -> None:
    rows = features.build(panel(), 1, np.ones(STORES, bool))
    moved = features.raised(rows, 1, 0.1)
    assert moved is not None
    changed = (moved.context_SxIxWxF != rows.context_SxIxWxF) & ~np.isnan(rows.context_SxIxWxF)
    assert {rows.names[n] for n in np.flatnonzero(changed.any((0, 1, 2)))} == {"price of 1", "others' prices"}
    assert changed[:, [0, 2]].any()
    assert not changed[:, 1].any()
    assert features.raised(rows, 7, 0.1) is None


def test_units_fall_in_the_price_whatever_the_weights_are() -> None:
    random = jax.random.key(0)
    params = {
        name: 3.0 * jax.random.normal(random, leaf.shape)
        for name, leaf in network.initial(5, 2, width=8, seed=0).items()
    }
    price_B = jnp.linspace(-1.5, 1.5, 200, dtype=jnp.float32)
    context_BxF = jnp.tile(jax.random.normal(random, (1, 5)), (200, 1))
    found_B = np.asarray(network.log_ratio(params, context_BxF, jnp.zeros(200, jnp.int32), price_B))
    assert (np.diff(found_B) < 0).all()


def test_elasticities_and_units_of_held_out_stores_are_found() -> None:
    known = panel()
    held_S = np.arange(STORES) >= 6
    rows = features.build(known, 1, ~held_S)
    learnt = known.sold()
    learnt[held_S] = False
    learnt[..., :4] = False
    learnt[..., 50:] = False
    ensemble = training.fit([rows], known.units_SxIxW, learnt, QUICK, seed=0)
    tested = np.zeros_like(learnt)
    tested[held_S, :, 50:] = True
    examples = ensemble.examples(rows, tested)
    units = ensemble.units(examples)
    actual = known.units_SxIxW[tested]
    error = np.abs(units.mean(0) - actual).sum() / actual.sum()
    naive = np.abs(np.exp(examples.level_B) - actual).sum() / actual.sum()
    assert error < 0.6 * naive
    raised = ensemble.units(examples, log_price_change=0.1)
    slopes = -np.log(raised / units).mean(0) / 0.1
    found = np.array([slopes[examples.item_B == n].mean() for n in range(ITEMS)])
    assert found == pytest.approx(SLOPES, rel=0.35)


def test_an_interval_is_wider_where_members_differ_more() -> None:
    mean, low, high = training.interval(np.array([-2.0, -2.2, -1.8, -2.0]))
    assert (mean, low < mean < high) == (-2.0, True)
    wider = training.interval(np.array([-2.0, -3.0, -1.0, -2.0]))
    assert wider[2] - wider[1] > 4 * (high - low)


def test_nothing_to_learn_from_is_said() -> None:
    known = panel()
    rows = features.build(known, 1, np.ones(STORES, bool))
    with pytest.raises(DataError, match="nothing to learn from"):
        training.fit([rows], known.units_SxIxW, np.zeros_like(known.sold()), QUICK, seed=0)
