import numpy as np
import pytest

from model.recommend import config
from model.recommend.events import Interaction, RankRequest
from model.recommend.serving import explain, serve
from model.recommend.training import train


def history(random, length):
    at = 1.7e9 + np.sort(random.random(length)) * 1e6
    kinds = random.choice(["view", "click", "purchase"], length)
    items = random.integers(0, 40, length)
    return [Interaction(f"i{i:03}", str(kind), t) for i, kind, t in zip(items, kinds, at, strict=True)]


def score(ranker, events, item_id):
    ranked = ranker.rank([RankRequest(events)], k=32)[0]
    return dict(zip(ranked.item_ids, ranked.scores, strict=True)).get(item_id, ranked.scores[-1])


def test_removing_the_reason_lowers_the_score_more_than_removing_another(ranker):
    random = np.random.default_rng(0)
    falls = {"reason": [], "other": []}
    for _ in range(25):
        events = history(random, 6)
        answer = ranker.rank([RankRequest(events)], k=5, explain=5)[0]
        for item_id, event in zip(answer.item_ids, answer.because, strict=True):
            others = sorted({e.item_id for e in events} - {event.item_id}) if event else []
            if not others:
                continue
            whole = score(ranker, events, item_id)
            falls["reason"].append(whole - score(ranker, explain.without(events, event.item_id), item_id))
            omitted = str(random.choice(others))
            falls["other"].append(whole - score(ranker, explain.without(events, omitted), item_id))
    assert len(falls["reason"]) > 80
    assert np.mean(falls["reason"]) > np.mean(falls["other"]) + 0.1
    # A score that fell off the ranking is only known to be below its last, so a few may tie the other way.
    assert np.mean(np.array(falls["reason"]) >= np.array(falls["other"])) > 0.95


def test_the_reason_is_the_last_event_of_its_item(ranker):
    events = [Interaction("i000", "view", 1.0), Interaction("i001", "view", 2.0), Interaction("i000", "purchase", 3.0)]
    because = ranker.rank([RankRequest(events)], k=5, explain=5)[0].because
    assert events[2] in because
    assert events[0] not in because


def test_explaining_changes_no_ranking_and_no_neighbour_in_the_batch(ranker):
    random = np.random.default_rng(1)
    asked = [RankRequest(history(random, n)) for n in (0, 1, 4, 11, 12)]
    plain = ranker.rank(asked, k=20)
    explained = ranker.rank(asked, k=20, explain=10)
    alone = [ranker.rank([request], k=20, explain=10)[0] for request in asked]
    assert [(answer.item_ids, answer.scores) for answer in plain] == [(a.item_ids, a.scores) for a in explained]
    assert explained == alone
    assert explained[0].because == [None] * 10
    assert [len(answer.because) for answer in explained[1:]] == [10] * 4
    assert all(answer.because == [] for answer in plain)


def test_reasons_that_are_asked_for_later_are_those_of_the_ranking(ranker):
    random = np.random.default_rng(2)
    asked = [RankRequest(history(random, n)) for n in (0, 1, 4, 11, 12, 30, 7, 7)]
    answers = ranker.rank(asked, k=20, explain=10)
    shown = [answer.item_ids[:10] for answer in answers]
    because = [answer.because for answer in answers]
    assert ranker.explain(asked, shown) == because
    assert [ranker.explain([one], [ids])[0] for one, ids in zip(asked, shown, strict=True)] == because
    # Of other items, as many as each shelf has, in whatever order.
    assert ranker.explain(asked, [ids[n::-1] for n, ids in enumerate(shown)]) == [
        reasons[n::-1] for n, reasons in enumerate(because)
    ]
    assert ranker.explain([], []) == []


def test_no_more_items_are_explained_than_can_be(ranker):
    most = explain.MOST_EXPLAINED
    request = RankRequest(history(np.random.default_rng(3), 6))
    ids = ranker.rank([request], k=32)[0].item_ids + ["i000", "i001"]
    [because] = ranker.explain([request], [ids])
    assert because == ranker.rank([request], k=32, explain=most + 2)[0].because
    assert len(because) == most


def test_an_item_that_is_not_known_has_no_reason_and_is_in_nobodys_way(ranker):
    request = RankRequest(history(np.random.default_rng(4), 6))
    answer = ranker.rank([request], k=5, explain=5)[0]
    first, *others = answer.item_ids
    [because] = ranker.explain([request], [[first, "", *others, "never announced"]])
    assert because == [answer.because[0], None, *answer.because[1:], None]


def test_every_encoding_is_counted(ranker):
    events = history(np.random.default_rng(5), 6)
    reasons = explain.last_items(events)
    before = ranker.encodings
    [answer] = ranker.rank([RankRequest(events)], k=5)
    assert ranker.encodings - before == 1
    ranker.explain([RankRequest(events)], [answer.item_ids])
    assert ranker.encodings - before == 1 + 1 + len(reasons)  # as a whole, and without each of its last items


def test_a_model_that_counts_no_successors_ranks_and_explains(shop):
    fitted = train.fit(shop.events(), shop.items(), config.preset("tiny", epochs=2, successors=0), seed=0)
    ranker = serve.Ranker(fitted.artifact)
    ranker.upsert(shop.items())
    ranker.warm()
    request = RankRequest(history(np.random.default_rng(6), 6))
    answer = ranker.rank([request], k=10, explain=5)[0]
    assert len(answer.item_ids) == 10
    assert ranker.explain([request], [answer.item_ids[:5]]) == [answer.because]
    assert any(answer.because)


def test_only_the_last_items_can_be_reasons():
    events = [Interaction(f"i{n}", "view", float(n)) for n in range(20)]
    assert explain.last_items(events) == [f"i{n}" for n in range(19, 19 - explain.MOST_REASONS, -1)]


@pytest.mark.parametrize("falls", [[0.0, -0.5], []])
def test_an_item_that_no_omission_lowers_has_no_reason(falls):
    assert explain._reason(np.array(falls, np.float32), [Interaction("i", "view", 1.0)] * len(falls)) is None
