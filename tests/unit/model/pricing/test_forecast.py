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


def test_what_moved_a_price_and_is_not_known_is_held_apart_where_costs_are() -> None:
    known, train_S = panel(), np.ones(STORES, bool)
    random = np.random.default_rng(1)
    wish = 0.2 * random.standard_normal(known.price_SxIxW.shape)
    moved = known._replace(cost_SxIxW=known.cost_SxIxW * np.exp(-wish))
    rows = features.build(moved, 1, train_S)
    residual = rows.context_SxIxWxF[..., rows.names.index("residual")]
    price = np.log(moved.price_SxIxW)
    assert residual.std() > 0.03
    assert np.corrcoef(residual.ravel(), wish.ravel())[0, 1] > 0.5
    # What the cost explains is not in it.
    assert residual.std() < price.std()
    blind = features.build(moved._replace(cost_SxIxW=np.full_like(price, np.nan)), 1, train_S)
    assert (blind.context_SxIxWxF[..., blind.names.index("residual")] == 0).all()


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


def test_a_price_that_rose_with_demand_is_not_taken_for_harmless_where_costs_are_known() -> None:
    random = np.random.default_rng(2)
    plain = panel()
    shape = plain.price_SxIxW.shape
    cost, wish = 0.15 * random.standard_normal(shape), 0.3 * random.standard_normal(shape)
    price = 2.0 * np.exp(cost + 0.5 * wish)
    level = 60.0 * np.exp(wish)
    units = random.poisson(level * (price / 2.0) ** -SLOPES[None, :, None]).astype(float)
    told = plain._replace(units_SxIxW=units, price_SxIxW=price, cost_SxIxW=np.exp(cost), deal_SxIxW=np.zeros(shape))
    blind = told._replace(cost_SxIxW=np.full(shape, np.nan))
    errors = []
    for each in (told, blind):
        rows = features.build(each, 1, np.ones(STORES, bool))
        ensemble = training.fit([rows], units, each.sold(), QUICK, seed=0)
        examples = ensemble.examples(rows, each.sold())
        change = np.log(ensemble.units(examples, log_price_change=0.1) / ensemble.units(examples)).mean(0) / 0.1
        found = np.array([-change[examples.item_B == n].mean() for n in range(ITEMS)])
        errors.append(np.abs(found / SLOPES - 1).mean())
    assert errors[0] < 0.6 * errors[1]


def test_an_item_that_nothing_was_learned_of_has_a_place_of_its_own() -> None:
    known = panel()
    rows = features.build(known, 1, np.ones(STORES, bool))
    learnt = known.sold()
    learnt[:, -1] = False
    ensemble = training.fit([rows], known.units_SxIxW, learnt, QUICK, seed=0)
    assert {len(member["item"]) for member in ensemble.members} == {ITEMS}


def test_nothing_to_learn_from_is_said() -> None:
    known = panel()
    rows = features.build(known, 1, np.ones(STORES, bool))
    with pytest.raises(DataError, match="nothing to learn from"):
        training.fit([rows], known.units_SxIxW, np.zeros_like(known.sold()), QUICK, seed=0)
