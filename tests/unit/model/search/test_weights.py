"""What was learnt is saved whole: the same parts come back, and items' vectors but for those that changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import artifact
from model.artifact import Artifact
from model.catalogue import Item
from model.errors import ArtifactError
from model.search import config, weights
from model.search.engine import Engine, Parts
from model.search.learning import contrastive, encoder
from model.search.learning.associations import Associations
from model.search.learning.encoder import Encoder
from model.search.ranking.ranker import TreeRanker, Trees
from model.text import analyser
from model.text.synonyms import Synonyms

CONFIG = config.preset("tiny")
ITEMS = [Item(f"i{n}", f"{colour} {thing}") for n, (colour, thing) in enumerate([("red", "hat"), ("blue", "shoe")])]


@pytest.fixture(name="parts")
def _parts() -> Parts:
    leaf = np.zeros(1, np.int32)
    trees = Trees(leaf, np.full(1, np.inf, np.float32), leaf, leaf, np.ones(1, np.float32), leaf)
    told = Associations(np.array([5 << 32 | 7, (2**32 - 1) << 32 | 9], np.uint64), np.array([0.5, 1], np.float32))
    ours = Encoder(CONFIG, encoder.initial(CONFIG, seed=3))
    return Parts(CONFIG, encoder=ours, ranker=TreeRanker(trees, 0), associations=told)


def test_what_is_saved_comes_back(parts: Parts, tmp_path: Path) -> None:
    artifact.save(tmp_path / "v", weights.pack(parts, ITEMS, {"figure": 1.0}))
    again, kept = weights.unpack(artifact.load(tmp_path / "v"), Synonyms())
    assert again.config == parts.config
    assert again.associations is not None
    assert parts.associations is not None
    np.testing.assert_array_equal(again.associations.keys_P, parts.associations.keys_P)
    assert isinstance(again.encoder, Encoder)
    assert isinstance(parts.encoder, Encoder)
    assert kept is not None
    changed = [ITEMS[0], replace(ITEMS[1], title="green shoe"), Item("new", "black glove")]
    expected_NxD = parts.encoder.encode(contrastive.texts(changed))
    np.testing.assert_allclose(kept.encode(changed, again.encoder), expected_NxD, atol=1e-6)

    plain = Engine(Parts(CONFIG))
    plain.build(changed)
    taken_over = plain.over(again, kept.encode(changed[:2], again.encoder))
    built = Engine(parts)
    built.build(changed)
    for text in ("red hat", "shoe", "glove"):
        assert taken_over.find(text).slots_K.tolist() == built.find(text).slots_K.tolist()


def test_another_models_artifact_is_refused() -> None:
    with pytest.raises(ArtifactError, match="recommend"):
        weights.unpack(Artifact("recommend", {}, {}), Synonyms())


@pytest.mark.parametrize("made_with", [{}, {"analyser": analyser.VERSION + 1}])
def test_what_was_learnt_of_words_cut_in_another_way_is_refused(parts: Parts, made_with: dict[str, int]) -> None:
    packed = weights.pack(parts, ITEMS, {})
    kinds = {"kind_weights": [1.0] * 11} if not made_with else {}
    given = {name: value for name, value in packed.config.items() if name != "analyser"} | made_with | kinds
    with pytest.raises(ArtifactError, match="reshelf train search"):
        weights.unpack(replace(packed, config=given), Synonyms())
    again = config.from_json(given)
    assert (again.analyser, len(again.kind_weights)) == (analyser.VERSION, config.KINDS)


def test_one_text_is_embedded_as_a_batch_is() -> None:
    ours = Encoder(CONFIG, encoder.initial(CONFIG, seed=1))
    texts = ["red hat", "", "手机壳 iphone 15", *(f"word{n} and word{n + 1}" for n in range(60))]
    together_NxD = ours.encode(texts)
    alone_NxD = np.concatenate([ours.encode([text]) for text in texts])
    np.testing.assert_allclose(alone_NxD, together_NxD, atol=1e-5)
