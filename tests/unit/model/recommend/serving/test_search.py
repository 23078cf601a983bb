"""The search against scores computed one by one: with votes, exclusions, closed items, small and large catalogues."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.recommend import blend
from model.recommend.blend import Recent, Tables
from model.recommend.neighbours import Neighbours
from model.recommend.serving import search
from model.recommend.transitions import NOTHING, Transitions

pytestmark = pytest.mark.usefixtures("full_compilation")


def best(*, k, **made):
    return jax.jit(functools.partial(search.best, k=k))(**made)


def world(items, *, users=16, dim=8, width=6, excluded=3, seed=0):
    random = np.random.default_rng(seed)
    to = np.stack([random.permutation(items)[:width] for _ in range(64)]).astype(np.int32)
    full = Transitions(
        np.full((items, width), NOTHING, np.int32), np.zeros((items, width), np.float32), np.zeros(items, np.float32)
    )
    full.to_NxW[:64], full.counts_NxW[:64] = to, random.random((64, width)) * 9
    full.totals_N[:64] = full.counts_NxW[:64].sum(1)
    near = Neighbours(np.full((items, width), NOTHING, np.int32), np.zeros((items, width), np.float32))
    near.to_NxW[:64] = np.stack([random.permutation(items)[:width] for _ in range(64)])
    near.weights_NxW[:64] = random.random((64, width))
    recent_BxH = random.integers(0, 64, (users, 15)).astype(np.int32)
    recent_BxH[:, 12:] = NOTHING
    return {
        "learned": blend.default()._replace(trend=jnp.float32(0.5)),
        "tables": Tables(full, near),
        "users_BxD": random.normal(size=(users, dim)).astype(np.float32),
        "recent": Recent(recent_BxH, np.where(recent_BxH < NOTHING, 1.0, 0.0).astype(np.float32)),
        "vectors_CxD": random.normal(size=(items, dim)).astype(np.float32),
        "faded_C": np.where(random.random(items) < 0.3, 20 * random.random(items), 0.0).astype(np.float32),
        "open_C": random.random(items) < 0.9,
        "excluded_BxX": np.sort(random.integers(0, items, (users, excluded)).astype(np.int32), 1),
    }


def by_hand(made, k):
    """Every item's score, votes and neighbours added up in a loop."""
    learned, (table, near) = made["learned"], made["tables"]
    scores = float(jnp.exp(learned.log_gain)) * made["users_BxD"] @ made["vectors_CxD"].T
    scores = scores + 0.5 * np.log1p(made["faded_C"])
    for user, row in enumerate(scores):
        votes = np.zeros(len(row))
        history = made["recent"].items_BxH[user]
        for place, item in enumerate(history):
            if item < NOTHING and item not in history[:place]:
                share = np.exp(learned.log_linear - np.exp(learned.log_decline) * place)
                row[near.to_NxW[item]] += near.weights_NxW[item] * float(share)
            if item < NOTHING and place < blend.RECENT:
                share = np.exp(learned.log_recency_R[place]) / (table.totals_N[item] + 1) ** learned.smoothing
                votes[table.to_NxW[item]] += table.counts_NxW[item] * float(share)
        row += np.exp(learned.log_weight) * np.log1p(np.exp(learned.log_saturation) * votes)
        row[made["excluded_BxX"][user]] = -np.inf
        row[~made["open_C"]] = -np.inf
    order = np.argsort(-scores, 1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), order


@pytest.mark.parametrize("items", [100, 40_960])
def test_the_best_are_those_of_all_scores(items):
    made = world(items)
    assert search.scans(items, 20, 3) == (items > 1000)
    scores, found = best(**made, k=20)
    expected, order = by_hand(made, 20)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
    assert (np.asarray(found) == order).mean() > 0.99


def test_many_excluded_items_leave_the_scan():
    made = world(40_960, excluded=200)
    assert not search.scans(40_960, 20, 200)
    scores, _ = best(**made, k=20)
    np.testing.assert_allclose(scores, by_hand(made, 20)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 15, 16])
@pytest.mark.parametrize("users", [16, 13])  # products are made for four users together, or for each
def test_of_the_first_users_alone_the_answers_are_the_same(count, users):
    made = world(300, users=users)
    count = min(count, users)
    whole = best(**made, k=20)
    for all_of_them, first in zip(whole, best(**made, k=20, count=np.int32(count)), strict=True):
        np.testing.assert_array_equal(first[:count], all_of_them[:count])


def test_vectors_that_are_kept_by_column_give_the_same_answers():
    made = world(300)
    scores, found = best(**made, k=20)
    quick_scores, quick = best(**made, k=20, columns_DxC=np.ascontiguousarray(made["vectors_CxD"].T))
    np.testing.assert_allclose(quick_scores, scores, rtol=1e-5, atol=1e-6)
    assert np.mean(np.asarray(quick) == np.asarray(found)) > 0.99  # near ties may change places


def test_scores_at_given_items_are_the_same():
    made = world(100)
    scores, found = best(**made, k=20)
    given = {name: made[name] for name in ("learned", "tables", "users_BxD", "recent", "vectors_CxD", "faded_C")}
    np.testing.assert_allclose(jax.jit(search.at)(**given, items_BxK=found), scores, rtol=1e-5, atol=1e-6)


def test_where_fewer_may_be_shown_the_rest_is_minus_infinity():
    made = world(100)
    made["open_C"][:] = False
    made["open_C"][[4, 7]] = True
    scores, _ = best(**made, k=10)
    assert (np.isfinite(scores).sum(1) <= 2).all()
    assert np.isfinite(scores).any()


@pytest.mark.parametrize("items", [100, 40_960])
def test_without_tables_the_network_and_what_is_wanted_now_rank(items):
    made = world(items)
    nothing = np.zeros((items, 0), np.int32), np.zeros((items, 0), np.float32)
    made["tables"] = Tables(Transitions(*nothing, np.zeros(items)), Neighbours(*nothing))
    scores, _ = best(**made, k=5)
    products = float(jnp.exp(made["learned"].log_gain)) * made["users_BxD"] @ made["vectors_CxD"].T
    sums = products + 0.5 * np.log1p(made["faded_C"])
    assert np.asarray(scores).max() <= sums.max() + 1e-5
