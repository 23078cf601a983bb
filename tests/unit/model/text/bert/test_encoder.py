"""A tiny encoder with random weights computes what numpy does, whatever stands beside a text."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import ConfigError
from model.text.bert import config as configs
from model.text.bert import encoder
from tests.support import encoders

ROBERTA = encoders.CONFIG | {"model_type": "xlm-roberta", "pad_token_id": 1}
TEXTS = ["red shoes for men", "", "手机 壳", "red", "never seen", "a b " * 5, "shoes red"]


def expected(texts, config, pooling, longest=16):
    weights = encoders.tensors(config)
    rows = []
    for text in texts:
        ids = encoders.tokens(text)
        rows.append(encoders.vector([*ids[: longest - 1], 3] if len(ids) > longest else ids, weights, config, pooling))
    return np.stack(rows)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return encoder.load(encoders.write(tmp_path_factory.mktemp("tiny") / "bert"))


@pytest.mark.parametrize("pooling", configs.POOLINGS)
@pytest.mark.parametrize("config", [encoders.CONFIG, ROBERTA], ids=["bert", "xlm-roberta"])
def test_it_computes_what_numpy_does(tmp_path, config, pooling):
    made = encoder.load(encoders.write(tmp_path / "encoder", config=config, pooling=pooling))
    vectors_NxD = made.encode(TEXTS)
    assert vectors_NxD.dtype == np.float32
    longest = 16 if config is encoders.CONFIG else 14
    np.testing.assert_allclose(vectors_NxD, expected(TEXTS, config, pooling, longest), atol=2e-6)


@pytest.mark.parametrize("activation", configs.ACTIVATIONS)
def test_every_activation_is_the_one_that_is_named(tmp_path, activation):
    config = encoders.CONFIG | {"hidden_act": activation}
    made = encoder.load(encoders.write(tmp_path / "encoder", config=config))
    np.testing.assert_allclose(made.encode(TEXTS[:1]), expected(TEXTS[:1], config, "mean"), atol=2e-6)


def test_a_text_has_one_vector_whatever_stands_beside_it(tiny):
    many = TEXTS * 60
    vectors_NxD = tiny.encode(many)
    alone_NxD = np.concatenate([tiny.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(vectors_NxD, np.tile(alone_NxD, (60, 1)), atol=1e-6)


def test_no_texts_have_no_vectors(tiny):
    assert tiny.encode([]).shape == (0, tiny.dim)


@given(st.lists(st.text(st.characters()), max_size=3))
@settings(deadline=None)
def test_any_string_has_a_unit_vector(tiny, texts):
    np.testing.assert_allclose(np.linalg.norm(tiny.encode(texts), axis=1), np.ones(len(texts)), atol=1e-5)


@pytest.mark.parametrize("text", ["\ud800", "\x00\x07", "👟🏃", "red " * 10_000])
def test_strange_strings_have_unit_vectors(tiny, text):
    assert np.linalg.norm(tiny.encode([text])) == pytest.approx(1.0, abs=1e-5)


def test_nothing_is_compiled_after_warming(tmp_path):
    config = encoders.CONFIG | {"intermediate_size": 24}
    made = encoder.load(encoders.write(tmp_path / "encoder", config=config))
    made.warm()
    before = made.compilations
    for count in (1, 3, 7):
        made.encode(TEXTS[:count] * count)
    assert made.compilations == before


def test_prefixes_come_from_options_or_from_the_folder(tmp_path, tiny):
    folder = encoders.write(tmp_path / "encoder")
    by_option = encoder.load(folder, query_prefix="query: ")
    prompts = {"prompts": {"query": "query: ", "document": "a "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts), "utf-8")
    by_folder = encoder.load(folder)
    for made, passage in ((by_option, "red"), (by_folder, "a red")):
        np.testing.assert_array_equal(made.encode(["red"], role="query"), tiny.encode(["query: red"]))
        np.testing.assert_array_equal(made.encode(["red"]), tiny.encode([passage]))


def test_an_unknown_role_names_the_known_ones(tiny):
    with pytest.raises(ConfigError, match="query, passage"):
        tiny.encode(["red"], role="title")


@pytest.mark.parametrize(("longest", "same"), [(None, "red shoes"), (3, "red")])
def test_long_texts_are_cut_where_the_folder_or_the_caller_says(tmp_path, tiny, longest, same):
    folder = encoders.write(tmp_path / "encoder")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 4, "do_lower_case": true}', "utf-8")
    made = encoder.load(folder, longest=longest)
    np.testing.assert_allclose(made.encode(["RED shoes for men"]), tiny.encode([same]), atol=1e-6)


@pytest.mark.parametrize("longest", [2, 17])
def test_a_length_without_positions_is_refused(tmp_path, longest):
    with pytest.raises(ConfigError, match=r"3\.\.16"):
        encoder.load(encoders.write(tmp_path / "encoder"), longest=longest)
