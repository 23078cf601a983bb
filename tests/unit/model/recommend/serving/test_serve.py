import numpy as np
import pytest

from model import artifact
from model.catalogue import Item
from model.errors import ConfigError, DataError
from model.recommend import config, items, split, weights
from model.recommend.evaluation import evaluate
from model.recommend.events import Interaction, RankRequest
from model.recommend.serving import serve

pytestmark = pytest.mark.usefixtures("full_compilation")


def requests(random, count):
    """Histories of every length, of known and unknown items, with exclusions of every size."""
    made = []
    for _ in range(count):
        at = np.sort(random.random(random.integers(0, 30))) * 1e7 + 1.7e9
        history = [Interaction(f"i{random.integers(0, 60):03}", str(random.choice(config.KINDS)), t) for t in at]
        excluded = {f"i{n:03}" for n in random.integers(0, 60, random.choice([0, 3, 200]))}
        made.append(RankRequest(history, excluded))
    return made


def test_an_answer_does_not_depend_on_its_batch(ranker):
    random = np.random.default_rng(0)
    asked = requests(random, 70)
    alone = [ranker.rank([request], k=20)[0] for request in asked]
    for size in (2, 7, 8, 9, 31, 32, 70):
        chosen = random.permutation(70)[:size]
        assert ranker.rank([asked[n] for n in chosen], k=20) == [alone[n] for n in chosen]


def test_no_answer_of_some_thousand_depends_on_its_batch(fitted, shop):
    """With a catalogue of some thousand items, and what was counted since the training."""
    ranker = serve.Ranker(fitted.artifact)
    ranker.upsert(shop.items(3000))
    random = np.random.default_rng(4)
    names = [item.item_id for item in shop.items(3000)]
    ranker.add_transitions(
        {name: dict(zip(random.choice(names, 4), random.random(4), strict=True)) for name in names[:60]}
    )
    asked = requests(random, 2000)
    together = ranker.rank(asked, k=32)
    order = random.permutation(len(asked))
    while len(order):
        size = int(random.choice([1, 1, 2, 3, 4, 5, 8, 31, 32, 33, 64]))
        chosen, order = order[:size], order[size:]
        assert ranker.rank([asked[n] for n in chosen], k=32) == [together[n] for n in chosen]


def test_nothing_compiles_after_warming(fitted, shop):
    ranker = serve.Ranker(fitted.artifact, expected_items=2000)
    ranker.warm()
    before = ranker.compilations
    random = np.random.default_rng(1)
    catalogue = shop.items(2200)
    ranker.load_vectors(catalogue[:50], ranker.upsert(catalogue[:50]))
    for count in (1, 3, 64, 65, 200, 2200):
        ranker.upsert(catalogue[:count])
        ranker.rank(requests(random, count % 90), k=int(random.integers(1, 33)))
        ranker.rank([RankRequest((), {item.item_id for item in catalogue[:count]})], k=5)
        ranker.similar([f"i{n:03}" for n in range(count % 50)], k=5)
        ranker.remove([f"i{n:03}" for n in range(count % 7)])
    assert ranker.capacity == 4096
    assert ranker.compilations == before


def test_growing_keeps_every_answer_and_compiles_only_then(fitted, shop):
    ranker = serve.Ranker(fitted.artifact)
    ranker.warm()
    catalogue = shop.items(1025)
    ranker.upsert(catalogue[:1000])
    request = RankRequest([Interaction("i002", "click", 5.0)], [f"i{n:03}" for n in range(1000, 1025)])
    before = ranker.rank([request], k=20)[0]
    ranker.upsert(catalogue)
    assert ranker.capacity == 2048
    assert len(ranker) == 1025
    compiled = ranker.compilations
    after = ranker.rank([request], k=20)[0]
    assert after.item_ids == before.item_ids
    np.testing.assert_allclose(after.scores, before.scores, rtol=1e-5)
    assert ranker.compilations == compiled


def test_removed_unavailable_and_excluded_items_are_never_answered(ranker, shop):
    history = [Interaction("i000", "view", 1.0), Interaction("i004", "view", 2.0)]
    unwanted = {"i008", "i012", "i016"}
    ranker.remove(["i008", "unknown"])
    ranker.upsert([Item(**vars(shop.items()[12]) | {"available": False})])
    for request in (RankRequest(history, {"i016", "unknown"}), RankRequest((), {"i016"})):
        assert not unwanted & set(ranker.rank([request], k=32)[0].item_ids)
    assert not {"i008", "i012"} & set(ranker.similar(["i000"], k=32)[0].item_ids)
    ranker.upsert([shop.items()[8], shop.items()[12]])
    assert {"i008", "i012"} <= set(ranker.rank([RankRequest(history)], k=32)[0].item_ids)


def test_an_unavailable_item_still_speaks_in_a_history(ranker, shop):
    request = RankRequest([Interaction("i000", "purchase", 1.0)], {"i000"})
    before = ranker.rank([request], k=5)[0]
    ranker.upsert([Item(**vars(shop.items()[0]) | {"available": False})])
    assert ranker.rank([request], k=5)[0] == before


def test_removed_slots_are_reused_before_the_matrix_grows(ranker, shop):
    catalogue = shop.items(1100)
    ranker.upsert(catalogue[:1024])
    ranker.remove(item.item_id for item in catalogue[:100])
    ranker.upsert(catalogue[1024:])
    assert ranker.capacity == 1024
    assert "i000" not in ranker
    assert "i099" in ranker
    assert len(ranker) == 1000


def test_a_request_without_a_usable_history_gets_the_prior(ranker):
    prior = ranker.rank([RankRequest()], k=10)[0]
    unknown = RankRequest([Interaction("never seen", "view", 1.0), Interaction("i000", "search", 2.0)])
    assert ranker.rank([unknown], k=10)[0] == prior
    assert len(prior.item_ids) == 10


def test_only_relative_time_counts(ranker):
    def at(start):
        return RankRequest([Interaction("i000", "view", start), Interaction("i001", "click", start + 3600.0)])

    assert ranker.rank([at(0.0)], k=20) == ranker.rank([at(1_700_000_000.0)], k=20)


def test_scores_descend_and_ties_go_by_id(ranker):
    twins = [Item(f"twin{n}", "the same", category="lamps") for n in (3, 1, 2)]
    ranker.upsert(twins)
    best = ranker.rank([RankRequest([Interaction("i001", "view", 1.0)])], k=32)[0]
    pairs = list(zip([-score for score in best.scores], best.item_ids, strict=True))
    assert pairs == sorted(pairs)
    shown = [item_id for item_id in ranker.similar(["i001"], k=32)[0].item_ids if item_id.startswith("twin")]
    assert shown == ["twin1", "twin2", "twin3"]


def test_upsert_returns_vectors_in_order_and_the_last_of_equal_ids_counts(ranker, shop):
    red, blue = Item("x", "red", category="shoes"), Item("x", "blue", category="books")
    vectors = ranker.upsert([red, shop.items()[3], blue])
    assert vectors.shape == (3, shop.config.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[2], ranker.upsert([blue])[0])
    assert not np.array_equal(vectors[0], vectors[2])


def test_loaded_vectors_rank_like_upserted_ones(fitted, shop, ranker):
    other = serve.Ranker(fitted.artifact)
    other.load_vectors(shop.items(), ranker.upsert(shop.items()))
    request = RankRequest([Interaction("i002", "click", 5.0)])
    assert other.rank([request], k=20) == ranker.rank([request], k=20)
    assert other.similar(["i002"], k=20) == ranker.similar(["i002"], k=20)


def test_vectors_of_another_model_are_refused(ranker, shop):
    with pytest.raises(DataError, match="another model"):
        ranker.load_vectors(shop.items(), np.zeros((40, 3), np.float32))


def test_an_unknown_item_has_no_neighbours(ranker):
    assert [len(found.item_ids) for found in ranker.similar(["nobody", "i000"], k=3)] == [0, 3]


def test_no_requests_give_no_answers(ranker):
    assert ranker.rank([], k=3) == []
    assert ranker.similar([], k=3) == []
    assert ranker.upsert([]).shape[0] == 0


def test_diversity_mixes_categories(fitted, shop):
    mixed = artifact.Artifact(
        kind="recommend",
        params=fitted.artifact.params,
        config=dict(fitted.artifact.config) | {"diversity": 2.0},
        ids=fitted.artifact.ids,
    )
    request = RankRequest([Interaction("i000", "view", 1.0), Interaction("i004", "view", 2.0)])

    def categories(made):
        ranker = serve.Ranker(made)
        ranker.upsert(shop.items())
        return {int(item_id[1:]) % 4 for item_id in ranker.rank([request], k=8)[0].item_ids}

    assert categories(fitted.artifact) == {0}
    assert len(categories(mixed)) > 2


@pytest.mark.parametrize("k", [0, 33])
def test_an_impossible_k_is_refused(ranker, k):
    with pytest.raises(ConfigError, match=r"ranks 1\.\.32"):
        ranker.rank([RankRequest()], k=k)


def test_an_unknown_kind_is_refused(ranker):
    with pytest.raises(ConfigError, match="'buy'"):
        ranker.rank([RankRequest([Interaction("i000", "buy", 1.0)])], k=3)


def test_another_capabilitys_artifact_is_refused():
    with pytest.raises(ConfigError, match="'fraud'"):
        serve.Ranker(artifact.Artifact(kind="fraud", params={}, config={}))


def test_serving_ranks_like_the_evaluation(fitted, shop, ranker):
    catalogue = shop.items()
    parts = split.leave_last_out(shop.events(), shop.config)
    rows = {item_id: row for row, item_id in enumerate(fitted.artifact.ids, start=1)}
    features = items.features(catalogue, rows, shop.config)
    old = evaluate.seen(parts.events, parts.test)
    trained = weights.unpack(fitted.artifact.params)
    scorer = evaluate.Scorer(shop.config, trained.network, features, trained.blend, *trained.tables, trained.faded_T)
    expected = evaluate.rank_holdout(scorer, parts.events, parts.test, excluded=old)
    asked = []
    for start, end, _ in zip(*parts.test, strict=True):
        events = zip(*(column[start:end].tolist() for column in parts.events), strict=True)
        history = [Interaction(f"i{item:03}", config.KINDS[kind], at) for _, item, kind, at in events]
        asked.append(RankRequest(history, {event.item_id for event in history}))
    served = [[int(item_id[1:]) for item_id in best.item_ids] for best in ranker.rank(asked, k=10)]
    # Sums of different lengths round differently, so near ties may change places.
    assert np.mean(np.array(served) == expected) > 0.99
