"""Prequential evaluation: nothing is tested on what was learned, and every arm is tested on the same baskets."""

import numpy as np
import pytest

from model.errors import ConfigError, DataError
from model.recommend import config as configs
from model.recommend import events as event_arrays
from model.recommend import split
from model.recommend.events import Interactions
from model.recommend.protocols import prequential
from model.recommend.protocols.prequential import Asked

DAY = 86_400.0


@pytest.fixture(name="data", scope="module")
def _data(shop):
    """Sixty days of users who keep to a category each; after half of them a new item of every category appears."""
    random = np.random.default_rng(0)
    users_E, items_E, at_E = [], [], []
    for day in range(60):
        for _ in range(12):
            user = int(random.integers(60))
            among = np.arange(user % 4, 36 if day < 30 else 40, 4)
            users_E.append(user)
            items_E.append(int(random.choice(among)))
            at_E.append(1.7e9 + day * DAY + len(at_E))
    kinds_E = np.full(len(users_E), configs.KINDS.index("purchase"))
    return Interactions(np.array(users_E), np.array(items_E), kinds_E, np.array(at_E)), shop.items()


@pytest.fixture(name="outcome", scope="module")
def _outcome(data, shop):
    config = configs.replace(shop.config, filter_seen=False, epochs=4, finetune_epochs=2, replay=1.0)
    return prequential.run(*data, config, Asked(30 * DAY, 1.7e9 + 30 * DAY))


def test_every_arm_is_tested_on_the_same_baskets_of_every_window(outcome):
    cases = [[(score.since, score.cases) for score in outcome.for_arm(arm)] for arm in prequential.ARMS]
    assert len(cases[0]) == 1
    assert all(of_arm == cases[0] for of_arm in cases)
    assert {kept.cases for kept in outcome.retention.values()} == {outcome.retention["frozen"].cases}
    assert outcome.retention["frozen"].cases > 0


def test_all_arms_begin_with_the_same_model(outcome):
    first = {(score.ndcg, score.hit_rate) for arm in prequential.ARMS for score in outcome.for_arm(arm)[:1]}
    assert len(first) == 1


def test_what_stands_still_costs_nothing_and_forgets_nothing(outcome):
    assert outcome.total("frozen")["cells"] == outcome.total("frozen")["seconds"] == 0
    assert outcome.retention["frozen"].change == 0
    assert outcome.total("naive")["cells"] < outcome.total("incremental")["cells"] < outcome.total("retrained")["cells"]


def test_a_window_holds_each_basket_with_a_history_once(data):
    events, _ = data
    config = configs.preset("tiny")
    ordered = event_arrays.ordered(events)
    found = split.in_window(ordered, config, since=1.7e9 + 30 * DAY, until=1.7e9 + 40 * DAY)
    starts, _ = event_arrays.spans(ordered)
    at_E = ordered.at_E
    expected = [n for n in range(len(at_E)) if 30 * DAY <= at_E[n] - 1.7e9 < 40 * DAY and n not in set(starts.tolist())]
    assert sorted(found.end_S.tolist()) == expected


def test_bad_questions_are_answered_with_what_to_change(data, shop):
    with pytest.raises(ConfigError, match="unknown arm 'best'; known: frozen"):
        prequential.run(*data, shop.config, Asked(DAY, arms=("best",)))
    with pytest.raises(DataError, match="choose a later one"):
        prequential.run(*data, shop.config, Asked(DAY, 1.0e9))
    with pytest.raises(DataError, match="choose an earlier one"):
        prequential.run(*data, shop.config, Asked(DAY, 1.8e9, arms=("frozen",)))
