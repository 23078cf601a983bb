"""A published folder in its variants, and what is said of one that cannot be used."""

import json

import ml_dtypes
import numpy as np
import pytest

from model.errors import ArtifactError, ConfigError
from model.text.bert import folder, layers
from tests.support import encoders


@pytest.fixture
def written(tmp_path):
    return encoders.write(tmp_path / "encoder", pooling="mean")


@pytest.fixture
def plain(tmp_path):
    return folder.read(encoders.write(tmp_path / "plain"))


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_the_parameters_are_the_network_s(plain):
    assert {name: value.shape for name, value in plain.params.items()} == layers.shapes(plain.config)
    assert {value.dtype for value in plain.params.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: f"bert.{name}",
        lambda name: f"roberta.{name}",
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
    ],
    ids=["bert", "roberta", "greek"],
)
def test_names_of_other_times_and_heads_are_read(tmp_path, plain, rename):
    weights = {rename(name): value for name, value in encoders.tensors(encoders.CONFIG).items()}
    extra = {
        "pooler.dense.weight": np.ones(2),
        "cls.predictions.bias": np.ones(2),
        "embeddings.position_ids": np.ones(2),
    }
    read = folder.read(encoders.write(tmp_path / "other", weights=weights | extra))
    for name, value in plain.params.items():
        np.testing.assert_array_equal(read.params[name], value)


@pytest.mark.parametrize(("dtype", "error"), [(ml_dtypes.bfloat16, 2e-2), (np.float16, 2e-3)])
def test_short_floats_become_float32(tmp_path, plain, dtype, error):
    weights = {name: value.astype(dtype) for name, value in encoders.tensors(encoders.CONFIG).items()}
    read = folder.read(encoders.write(tmp_path / "short", weights=weights))
    for name, value in plain.params.items():
        assert read.params[name].dtype == np.float32
        np.testing.assert_allclose(read.params[name], value, atol=error)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(written, name):
    (written / name).unlink()
    with pytest.raises(ArtifactError, match=f"has no {name}"):
        folder.read(written)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="nowhere is no folder"):
        folder.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("other", "match"), [("pytorch_model.bin", "a pickle may run code"), ("model-00001-of-2.safetensors", "in parts")]
)
def test_weights_in_another_form_are_recognised(written, other, match):
    (written / "model.safetensors").rename(written / other)
    with pytest.raises(ArtifactError, match=match):
        folder.read(written)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "modules.json"])
def test_a_damaged_file_is_named(written, name):
    (written / name).write_text("no such thing", "utf-8")
    with pytest.raises(ArtifactError, match=f"{name}.*fetch it anew"):
        folder.read(written)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"model_type": "modernbert"}, "'modernbert' is not supported; supported: bert, roberta, xlm-roberta"),
        ({"model_type": None}, "None is not supported"),
        ({"hidden_act": "mish"}, "hidden_act 'mish' is not supported; supported: gelu"),
        ({"position_embedding_type": "relative_key"}, "supported: absolute"),
        ({"is_decoder": True}, "is_decoder"),
        ({"hidden_size": "12"}, "hidden_size must be a whole number"),
        ({"num_attention_heads": 5}, "multiple of num_attention_heads 5"),
    ],
)
def test_an_unsupported_network_names_what_is_supported(written, changes, match):
    rewrite(written / "config.json", **changes)
    with pytest.raises(ConfigError, match=match) as caught:
        folder.read(written)
    assert str(written) in str(caught.value)


def test_a_missing_tensor_is_named(tmp_path):
    weights = encoders.tensors(encoders.CONFIG)
    weights["encoder.layer.1.output.dens.weight"] = weights.pop("encoder.layer.1.output.dense.weight")
    where = encoders.write(tmp_path / "missing", weights=weights)
    with pytest.raises(
        ArtifactError, match=r"lacks 'encoder\.layer\.1\.output\.dense\.weight' \(it has '.*dens\.weight'"
    ):
        folder.read(where)


def test_an_unexpected_tensor_is_named(written):
    rewrite(written / "config.json", num_hidden_layers=1)
    with pytest.raises(ArtifactError, match=r"holds 'encoder\.layer\.1\..* and 13 more, which config\.json"):
        folder.read(written)


def test_a_tensor_of_another_shape_is_named(written):
    rewrite(written / "config.json", max_position_embeddings=20)
    with pytest.raises(
        ArtifactError, match=r"position_embeddings\.weight has shape \(16, 12\), config\.json says \(20, 12\)"
    ):
        folder.read(written)


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    config = encoders.CONFIG | {"vocab_size": 5}
    with pytest.raises(ArtifactError, match="knows 13 tokens, config.json 5"):
        folder.read(encoders.write(tmp_path / "encoder", config=config))


@pytest.mark.parametrize(
    ("description", "pooling"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode": "cls"}, "cls"),
    ],
)
def test_the_pooling_is_the_folder_s(written, description, pooling):
    (written / "1_Pooling" / "config.json").write_text(json.dumps(description), "utf-8")
    assert folder.read(written).config.pooling == pooling
    assert folder.read(written, pooling="mean").config.pooling == "mean"


def test_without_a_pooling_it_is_the_mean(plain):
    assert plain.config.pooling == "mean"


@pytest.mark.parametrize(
    "description",
    [
        {"pooling_mode_max_tokens": True},
        {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
        {"pooling_mode": "lasttoken"},
        {"other": 1},
    ],
)
def test_another_pooling_is_refused(written, description):
    (written / "1_Pooling" / "config.json").write_text(json.dumps(description), "utf-8")
    with pytest.raises(ConfigError, match="supported: mean"):
        folder.read(written)


def test_a_module_that_is_not_computed_is_refused(written):
    modules = json.loads((written / "modules.json").read_text("utf-8"))
    modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (written / "modules.json").write_text(json.dumps(modules), "utf-8")
    with pytest.raises(ConfigError, match="asks for Dense"):
        folder.read(written)


@pytest.mark.parametrize(("name", "text"), [("modules.json", "{}"), ("modules.json", "[1]"), ("config.json", "[]")])
def test_json_of_another_form_is_refused(written, name, text):
    (written / name).write_text(text, "utf-8")
    with pytest.raises(ArtifactError, match=f"{name} holds no"):
        folder.read(written)


def test_an_option_that_is_no_pooling_is_refused(written):
    with pytest.raises(ConfigError, match="pooling 'max'"):
        folder.read(written, pooling="max")
