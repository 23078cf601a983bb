"""What search learns: the encoder that a word is like its neighbours, the ranker which signal matters."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from model.catalogue import Item
from model.search import config, training
from model.search.engine import Engine, Parts
from model.search.learning import contrastive, encoder
from model.search.learning.judgements import Judged
from model.search.ranking import features, ranker
from model.search.ranking.ranker import Examples

CONFIG = config.preset("tiny", trees=20, least_in_leaf=5, folds=2, learning_rate=1e-2, least_steps=120)
TYPES = {"drill": "hammer", "fan": "ceiling", "rug": "wool", "lamp": "desk"}
ITEMS = [
    Item(f"{name}{n}", f"{colour} {beside} {name} number{n}", category=name, price=float(n))
    for name, beside in TYPES.items()
    for n, colour in enumerate(["red", "blue", "green", "white", "black", "grey", "pink", "brown"])
]


def test_a_word_is_like_those_that_it_stands_beside() -> None:
    parts = training.with_encoder(Parts(CONFIG), ITEMS)
    assert parts.encoder is not None
    words_WxD = parts.encoder.encode(list(TYPES))
    beside_WxD = parts.encoder.encode(list(TYPES.values()))
    assert (words_WxD @ beside_WxD.T).argmax(1).tolist() == [0, 1, 2, 3]
    assert np.linalg.norm(words_WxD, axis=1) == pytest.approx(1, abs=1e-3)


def test_a_text_without_terms_has_no_vector_and_spoils_no_step() -> None:
    params = contrastive.pretrain([Item("a", "!!"), Item("b", "red drill"), Item("c", "blue fan")], CONFIG)
    assert all(np.isfinite(value).all() for value in params.values())
    made = encoder.Encoder(CONFIG, params)
    assert np.abs(made.encode(["", "?!"])).max() < 1e-3
    assert made.encode([]).shape == (0, CONFIG.dim)


def test_training_leaves_what_it_started_from_as_it_was() -> None:
    params = encoder.initial(CONFIG, seed=0)
    before = {name: np.array(value) for name, value in params.items()}
    items_NxT = encoder.terms_of(contrastive.texts(ITEMS), CONFIG)
    pairs = contrastive.Pairs(
        encoder.terms_of(["drill"] * 4, CONFIG), np.arange(4, dtype=np.int32), np.ones(4, np.float32)
    )
    after = contrastive.finetune(params, pairs, items_NxT, CONFIG)
    assert all(np.array_equal(before[name], params[name]) for name in before)
    assert not np.array_equal(before["table"], after["table"])


def test_compiled_trees_score_like_those_that_were_trained() -> None:
    random = np.random.default_rng(0)
    features_PxF = random.normal(size=(600, len(features.NAMES))).astype(np.float32)
    labels_P = (features_PxF[:, 3] + features_PxF[:, 5] > 1).astype(int)
    data = lightgbm.Dataset(features_PxF, labels_P, group=[30] * 20)
    booster = lightgbm.train({"objective": "lambdarank", "verbosity": -1, "num_threads": 1}, data, 15)
    made = ranker.from_boosters([booster])
    assert made.score(features_PxF) == pytest.approx(booster.predict(features_PxF), abs=1e-5)
    assert made.score(features_PxF[:7]) == pytest.approx(made.score(features_PxF)[:7], abs=1e-6)


def test_the_ranker_learns_which_signal_matters() -> None:
    random = np.random.default_rng(0)
    place = features.NAMES.index("popularity")
    examples = []
    for _ in range(60):
        features_KxF = random.normal(size=(20, len(features.NAMES))).astype(np.float32)
        examples.append(Examples(features_KxF, (features_KxF[:, place] > 1).astype(np.float32)))
    made = ranker.train([e for e in examples if e.gain_K.any()], CONFIG)
    probe_KxF = np.zeros((2, len(features.NAMES)), np.float32)
    probe_KxF[:, place] = [-2, 2]
    low, high = made.score(probe_KxF)
    assert high > low


def test_judged_queries_teach_what_words_alone_do_not_say() -> None:
    """A third of the shop's queries say "gadget" and mean drills: only judgements tell."""
    colours = ["red", "blue", "green", "white", "black", "grey", "pink", "brown"]
    queries = tuple(f"{colour} gadget" for colour in colours)
    relevance = tuple({n: 3.0} for n in range(len(colours)))
    parts = training.with_encoder(Parts(CONFIG), ITEMS)
    known = Judged(queries[1:], relevance[1:])
    learnt = Engine(training.with_ranker(parts, ITEMS, known))
    learnt.build(ITEMS)
    best = [ITEMS[slot].category for slot in learnt.ranked("red gadget", 3)]
    assert best[0] == "drill"


def test_features_have_a_value_for_every_name_and_no_candidate_is_special() -> None:
    engine = Engine(training.with_encoder(Parts(CONFIG), ITEMS))
    engine.build(ITEMS)
    asked, fused_N = engine.ask("red hammer drill 18v unknownword")
    slots_K = engine.candidates(asked, fused_N, engine.collection.open_N)
    whole_KxF = features.compute(asked, slots_K, engine.shelf())
    assert whole_KxF.shape == (len(slots_K), len(features.NAMES))
    assert np.isfinite(whole_KxF).all()
    shuffled = np.random.default_rng(0).permutation(len(slots_K))
    again_KxF = features.compute(asked, slots_K[shuffled], engine.shelf())
    own = [features.NAMES.index(name) for name in ("score", "coverage", "likeness", "noun", "adjacent", "title_share")]
    assert again_KxF[:, own] == pytest.approx(whole_KxF[shuffled][:, own])
