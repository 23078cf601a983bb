"""Which parts of the score are left out: those that spoil the first items of held-out baskets."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

from model.catalogue import Item
from model.recommend import config as configs
from model.recommend import split
from model.recommend.events import Interactions
from model.recommend.training import score_parts, train
from model.recommend.training.train import Blending

CONFIG = configs.preset("tiny", epochs=1)


@pytest.fixture(name="blending", scope="module")
def _blending() -> tuple[Interactions, Blending]:
    """Shoppers who go on from item to item: what followed what says all, and an untrained network nothing."""
    starts = np.random.default_rng(0).integers(0, 60, 300)
    items_E = ((starts[:, None] + np.arange(8)[None, :]) % 60).astype(np.int32).ravel()
    users_E = np.repeat(np.arange(300, dtype=np.int32), 8)
    events = Interactions(users_E, items_E, np.full(2400, 2, np.int32), np.tile(np.arange(8.0), 300))
    items = [Item(str(n), "") for n in range(60)]
    parts = split.leave_last_out(train.usable(events, items, CONFIG), CONFIG)
    trial = train.learn(parts, train.features_of(items, np.arange(60), CONFIG), CONFIG, seed=0)
    return parts.events, trial.blending


def test_a_part_that_spoils_the_ranking_is_left_out(blending):
    events, fitted = blending
    good = replace(fitted.scorer, blend=train.fit_blend(events, fitted.cases, fitted.scorer, seed=0))
    loud = replace(good, blend=good.blend._replace(log_gain=np.float32(4.0)))
    left_out = score_parts.better_left_out(events, fitted.cases, loud)
    assert "network" in left_out
    assert "transitions" not in left_out


def test_nothing_is_left_out_where_nothing_is_gained(blending):
    events, fitted = blending
    alone = score_parts.without(fitted.scorer, ["network", "neighbours"])
    alone = replace(alone, blend=train.fit_blend(events, fitted.cases, alone, seed=0, start=alone.blend))
    assert score_parts.better_left_out(events, fitted.cases, alone) == []


def test_a_fit_that_starts_without_a_part_ends_without_it(blending):
    events, fitted = blending
    start = score_parts.without(fitted.scorer, ["network"]).blend
    ended = train.fit_blend(events, fitted.cases, fitted.scorer, seed=0, start=start)
    assert np.exp(ended.log_gain) < 1e-6
    assert np.isfinite(jax.tree.leaves(ended)[0])
