"""What is wanted now: how it fades, that the blend learns to use it, and that serving adds it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.catalogue import Item
from model.recommend import blend, neighbours, recency_popularity, transitions, weights
from model.recommend import config as configs
from model.recommend.events import Interaction, Interactions, RankRequest
from model.recommend.serving import serve

DAY = 86_400.0
PURCHASE, VIEW = configs.KINDS.index("purchase"), configs.KINDS.index("view")


def _events(*rows):
    items, kinds, days = zip(*rows, strict=True)
    return Interactions(np.zeros(len(rows), np.int32), np.array(items), np.array(kinds), 1.7e9 + DAY * np.array(days))


def test_an_event_counts_half_after_each_half_life_and_by_its_kind():
    config = configs.preset("tiny", trend_days=2.0)
    events = _events((0, PURCHASE, 0.0), (1, PURCHASE, 2.0), (2, VIEW, 4.0), (0, PURCHASE, 4.0), (3, PURCHASE, 9.0))
    faded_N = recency_popularity.faded(events, 5, config, at=1.7e9 + 4.0 * DAY)
    np.testing.assert_allclose(faded_N, [0.25, 0.5, 0.0, 0.0, 0.0], rtol=1e-6)
    newest_N = recency_popularity.faded(events, 5, config)
    np.testing.assert_allclose(newest_N[2:], [0.1 * 0.5**2.5, 1.0, 0.0], rtol=1e-4)


def test_it_can_be_left_out():
    events = _events((0, PURCHASE, 0.0))
    assert not recency_popularity.faded(events, 2, configs.preset("tiny", trend_days=0.0)).any()


@pytest.mark.parametrize("wanted", [True, False])
def test_the_blend_trusts_it_where_held_out_baskets_follow_it(wanted):
    random = np.random.default_rng(0)
    faded_N = np.where(np.arange(50) % 5 == 0, 30.0, 0.0).astype(np.float32)
    truth_S = random.choice(np.flatnonzero(faded_N > 0) if wanted else np.arange(50), 400).astype(np.int32)
    recent = blend.Recent(np.full((400, blend.RECENT), transitions.NOTHING, np.int32), np.zeros((400, blend.RECENT)))
    cases = blend.Cases(np.zeros((400, 8), np.float32), recent, np.full((400, 1), transitions.NOTHING), truth_S)
    nothing = blend.Tables(transitions.empty(50, 0), neighbours.empty(50, 0))
    fitted = blend.fit(nothing, jnp.zeros((50, 8)), faded_N, cases, seed=0)
    assert (fitted.trend > 0.5) if wanted else (abs(fitted.trend) < 0.1)


def _ranker(fitted, faded_T, *, trust):
    params = {**fitted.artifact.params, "blend.trend": np.float32(trust), "trend.faded": faded_T.astype(np.float32)}
    ranker = serve.Ranker(dataclasses.replace(fitted.artifact, params=params))
    ranker.upsert([Item("fresh", "a new thing", category="sofas")])
    return ranker


def test_serving_adds_it_to_every_score(fitted, shop):
    items = shop.items()
    faded_T = np.arange(40.0)
    plain, trusting = (_ranker(fitted, faded_T, trust=trust) for trust in (0.0, 1.0))
    for ranker in (plain, trusting):
        ranker.upsert(items)
    asked = [RankRequest([Interaction("i003", "purchase", 1.7e9)])]
    [before], [after] = (ranker.rank(asked, k=32) for ranker in (plain, trusting))
    scores = dict(zip(before.item_ids, before.scores, strict=True))
    wanted = {item_id: float(np.log1p(faded_T[row])) for row, item_id in enumerate(fitted.artifact.ids)}
    both = [item_id for item_id in after.item_ids if item_id in scores]
    assert len(both) > 20
    found = dict(zip(after.item_ids, after.scores, strict=True))
    for item_id in both:
        assert found[item_id] == pytest.approx(scores[item_id] + wanted.get(item_id, 0.0), abs=1e-4)
    [likely] = trusting.most_probable(asked, k=32)
    assert likely.item_ids == after.item_ids


def test_it_stays_with_its_item_when_the_matrix_grows(fitted, shop):
    ranker = _ranker(fitted, np.where(np.arange(40) == 7, 1e6, 0.0), trust=1.0)
    ranker.upsert(shop.items())
    ranker.upsert([Item(f"more{n}", "another thing") for n in range(1100)])
    assert ranker.capacity > 1024
    assert ranker.rank([RankRequest()], k=1)[0].item_ids == [fitted.artifact.ids[7]]


def test_models_of_before_have_none(fitted):
    older = {name: v for name, v in fitted.artifact.params.items() if "trend" not in name}
    read = weights.unpack(older)
    assert not read.faded_T.any()
    assert float(read.blend.trend) == 0.0
    assert jax.tree.structure(read.blend) == jax.tree.structure(blend.default())
