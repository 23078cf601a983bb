import json

import pytest

from model.errors import ConfigError
from model.recommend import config


def test_the_presets_are_built():
    assert config.preset().dim == 64
    assert config.preset("tiny").dim == 16
    assert config.preset("small", dim=32).dim == 32


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (lambda: config.preset("smal"), "did you mean 'small'"),
        (lambda: config.preset("tiny", epoch=3), "did you mean 'epochs'"),
        (lambda: config.preset("tiny", kind_weights={"purchas": 1}), "did you mean 'purchase'"),
        (lambda: config.preset("tiny", dim=15), "multiple of heads"),
        (lambda: config.preset("tiny", history=16), "must exceed history"),
        (lambda: config.preset("tiny", candidates=5000), "candidates"),
        (lambda: config.preset("tiny", replay_days=0), "replay_days 0.0 must be above 0"),
        (lambda: config.preset("tiny", finetune_half=0), "finetune_half 0.0 and blend_memory 15000.0 must be 1"),
        (lambda: config.preset("tiny", kind_weights=(1.0,)), "kind_weights needs"),
    ],
)
def test_a_mistake_is_named(call, nearest):
    with pytest.raises(ConfigError, match=nearest):
        call()


def test_single_kinds_can_be_reweighted():
    made = config.preset("tiny", kind_weights={"view": 0.7})
    assert made.kind_weights[config.KINDS.index("view")] == 0.7
    assert made.kind_weights[config.KINDS.index("purchase")] == 3.0


def test_a_config_survives_json():
    made = config.preset("base", kind_weights={"view": 0.7})
    assert config.from_json(json.loads(json.dumps(config.to_json(made)))) == made


def test_a_whole_number_is_a_float_where_one_is_meant():
    assert type(config.preset("tiny", dropout=0).dropout) is float
