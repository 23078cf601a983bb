"""The probabilities of the best items: a softmax of all scores, whatever way these are computed."""

import numpy as np
import pytest

from model.catalogue import Item
from model.errors import ConfigError
from model.recommend import config, items, split, weights
from model.recommend.evaluation import evaluate
from model.recommend.events import Interaction, RankRequest


def _asked(events, holdout):
    for start, end in zip(holdout.start_S, holdout.end_S, strict=True):
        columns = zip(*(column[start:end].tolist() for column in events[1:]), strict=True)
        history = [Interaction(f"i{item:03}", config.KINDS[kind], at) for item, kind, at in columns]
        yield RankRequest(history, {event.item_id for event in history})


def test_they_are_the_softmax_of_the_scores_of_all_other_items(fitted, shop, ranker):
    parts = split.leave_last_out(shop.events(), shop.config)
    rows = {item_id: row for row, item_id in enumerate(fitted.artifact.ids, start=1)}
    trained = weights.unpack(fitted.artifact.params)
    features = items.features(shop.items(), rows, shop.config)
    scorer = evaluate.Scorer(shop.config, trained.network, features, trained.blend, *trained.tables, trained.faded_T)
    found = ranker.most_probable(list(_asked(parts.events, parts.test)), k=10)
    scores = list(evaluate.full_scores(scorer, parts.events, parts.test))
    for answer, scores_N, old in zip(found, scores, evaluate.seen(parts.events, parts.test), strict=True):
        kept_N = np.exp(scores_N.astype(np.float64))
        kept_N[old] = 0
        probabilities_N = kept_N / kept_N.sum()
        shown = [int(item_id[1:]) for item_id in answer.item_ids]
        np.testing.assert_allclose(np.exp(answer.scores), probabilities_N[shown], rtol=1e-3, atol=1e-6)
        assert np.exp(answer.scores).sum() == pytest.approx(np.sort(probabilities_N)[-10:].sum(), rel=1e-3)


def test_they_add_up_to_one_over_what_may_be_shown(ranker, shop):
    ranker.upsert([Item(**vars(shop.items()[1]) | {"available": False})])
    excluded = {f"i{n:03}" for n in range(10, 30)}
    for history in ([], [Interaction("i001", "view", 1.0), Interaction("i005", "purchase", 2.0)]):
        [answer] = ranker.most_probable([RankRequest(history, excluded)], k=32)
        assert len(answer.item_ids) == 19
        assert not {*answer.item_ids} & {*excluded, "i001"}
        assert np.exp(answer.scores).sum() == pytest.approx(1.0, abs=1e-5)


def test_they_come_in_the_order_of_the_ranking_where_nothing_is_diversified(ranker):
    asked = [RankRequest([Interaction(f"i{n:03}", "click", 5.0)]) for n in range(20)]
    likely, ranked = ranker.most_probable(asked, k=10), ranker.rank(asked, k=10)
    same = [one.item_ids == other.item_ids for one, other in zip(likely, ranked, strict=True)]
    assert np.mean(same) > 0.9  # sums of another order round differently
    with pytest.raises(ConfigError, match=r"ranks 1\.\.32"):
        ranker.most_probable(asked, k=33)
    assert ranker.most_probable([], k=3) == []
