import numpy as np
import pytest

from model.errors import DataError
from model.recommend.protocols import cold_start


def test_the_last_chosen_event_of_each_user():
    users = np.array([0, 0, 0, 1, 1, 2])
    chosen = np.array([True, True, False, False, True, False])
    assert cold_start._last_of_each_user(chosen, users).tolist() == [False, True, False, False, True, False]


def test_cold_items_are_not_learned_and_are_ranked_among_all(shop):
    outcome = cold_start.run(shop.events(users=320), shop.items(), shop.config, share=0.2, seed=1)
    assert 0 < outcome.items < 20
    assert set(outcome.cold_items) == {"model", "popularity_in_category", "random"}
    assert len({figures["cases"] for figures in outcome.cold_items.values()}) == 1
    assert set(outcome.cold_users) == {1, 2, 3}
    first, third = (outcome.cold_users[known]["model"]["ndcg@10"] for known in (1, 3))
    assert first > outcome.cold_users[1]["popularity"]["ndcg@10"]
    assert third > outcome.cold_users[3]["popularity"]["ndcg@10"]


def test_a_share_that_leaves_nothing_is_refused(shop):
    with pytest.raises(DataError, match="nothing is left to learn from"):
        cold_start.run(shop.events(), shop.items(), shop.config, share=1.0)
