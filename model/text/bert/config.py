"""The network configuration in a published encoder's `config.json`, as far as it is supported here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.errors import ConfigError

FAMILIES = ("bert", "roberta", "xlm-roberta")
"""Values of `model_type` that this network computes."""

POOLINGS = ("mean", "cls")
"""How the vectors of a text's tokens become one: their mean, or the first token's."""

ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu")


@dataclass(frozen=True)
class EncoderConfig:
    """Shapes and constants of one encoder. Make one with `from_json`."""

    vocabulary: int
    dim: int
    blocks: int
    heads: int
    inner: int  # width of the feed-forward layer
    positions: int  # rows of the position table
    segments: int
    first_position: int  # the first token's row of that table
    padding: int  # the padding token
    epsilon: float
    activation: str = "gelu"
    pooling: str = "mean"

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ConfigError(f"pooling {self.pooling!r} is not supported; supported: {', '.join(POOLINGS)}")
        if self.activation not in ACTIVATIONS:
            raise ConfigError(f"hidden_act {self.activation!r} is not supported; supported: {', '.join(ACTIVATIONS)}")
        if self.dim % self.heads:
            raise ConfigError(f"hidden_size {self.dim} must be a multiple of num_attention_heads {self.heads}")

    @property
    def longest(self) -> int:
        """Most tokens of a text, limited by the position table."""
        return self.positions - self.first_position


def from_json(description: Mapping[str, Any], *, pooling: str = "mean") -> EncoderConfig:
    """The config in `config.json`, in the terms of Hugging Face's transformers.

    Raises ConfigError for another family, for an unsupported variant of the network, and for a value that is missing or
    not a number.
    """
    family = description.get("model_type")
    if family not in FAMILIES:
        raise ConfigError(f"model_type {family!r} is not supported; supported: {', '.join(FAMILIES)}")
    _plain(description)
    padding = _whole(description, "pad_token_id", 0 if family == "bert" else 1)
    return EncoderConfig(
        vocabulary=_whole(description, "vocab_size"),
        dim=_whole(description, "hidden_size"),
        blocks=_whole(description, "num_hidden_layers"),
        heads=_whole(description, "num_attention_heads"),
        inner=_whole(description, "intermediate_size"),
        positions=_whole(description, "max_position_embeddings"),
        segments=_whole(description, "type_vocab_size", 2),
        # RoBERTa's positions start after the padding token's number; earlier rows of its table are for padding.
        first_position=0 if family == "bert" else padding + 1,
        padding=padding,
        epsilon=float(description.get("layer_norm_eps", 1e-12)),
        activation=str(description.get("hidden_act", "gelu")),
        pooling=pooling,
    )


def pooling_of(description: Mapping[str, Any]) -> str:
    """The pooling of sentence-transformers' `1_Pooling/config.json`; raises ConfigError unless it is in POOLINGS."""
    named = description.get("pooling_mode")
    asked: Sequence[str] = [named] if isinstance(named, str) else [_FLAGS.get(flag, flag) for flag in _set(description)]
    if len(asked) != 1 or asked[0] not in POOLINGS:
        raise ConfigError(f"pooling {' with '.join(asked) or 'by nothing'} is not supported; supported: mean or cls")
    return asked[0]


_FLAGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


def _set(description: Mapping[str, Any]) -> list[str]:
    return [flag for flag, on in description.items() if flag.startswith("pooling_mode_") and on is True]


def _plain(description: Mapping[str, Any]) -> None:
    positions = description.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise ConfigError(f"position_embedding_type {positions!r} is not supported; supported: absolute")
    if description.get("is_decoder"):
        raise ConfigError("is_decoder is true; a text encoder reads in both directions, choose one that does")


def _whole(description: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = description.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"{key} must be a whole number, it is {value!r}; fetch the folder's config.json anew")
    return value
