"""A tiny encoder of random weights, laid out as a published one, and what it computes, in numpy."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "shoes", "for", "men", "手机", "壳", "query:", "a", "b")
CONFIG = {
    "model_type": "bert",
    "vocab_size": len(WORDS) + 3,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "pad_token_id": 0,
    "layer_norm_eps": 1e-6,
    "hidden_act": "gelu",
}

Tensors = dict[str, np.ndarray]


def tensors(config: Mapping[str, Any], *, seed: int = 0) -> Tensors:
    """Random weights, by the names of a checkpoint."""
    random = np.random.default_rng(seed)
    dim, inner = config["hidden_size"], config["intermediate_size"]
    shapes = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], dim),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], dim),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], dim),
        "embeddings.LayerNorm.weight": (dim,),
        "embeddings.LayerNorm.bias": (dim,),
    }
    parts = {
        "attention.self.query": (dim, dim),
        "attention.self.key": (dim, dim),
        "attention.self.value": (dim, dim),
        "attention.output.dense": (dim, dim),
        "attention.output.LayerNorm": (dim,),
        "intermediate.dense": (inner, dim),
        "output.dense": (dim, inner),
        "output.LayerNorm": (dim,),
    }
    for layer in range(config["num_hidden_layers"]):
        for part, shape in parts.items():
            shapes[f"encoder.layer.{layer}.{part}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{part}.bias"] = shape[:1]
    return {name: random.normal(0.0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def write(
    folder: Path, *, config: Mapping[str, Any] = CONFIG, weights: Tensors | None = None, pooling: str | None = None
) -> Path:
    """Makes the folder with its three files, and sentence-transformers' two where `pooling` is told."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    save_file(tensors(config) if weights is None else weights, folder / "model.safetensors")
    tokenizer().save(str(folder / "tokenizer.json"))
    if pooling:
        modules = [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ]
        (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
        (folder / "1_Pooling").mkdir()
        flags = {"pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean"}
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 12} | flags), "utf-8")
    return folder


def tokenizer() -> Tokenizer:
    """Words between spaces, between [CLS] and [SEP]; with the padding and the cut that a published one may carry."""
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.enable_padding(length=9)
    made.enable_truncation(9)
    return made


def tokens(text: str) -> list[int]:
    """What the tokenizer makes of `text`."""
    return [2, *(WORDS.index(word) if word in WORDS else 1 for word in text.split()), 3]


def vector(ids: Sequence[int], weights: Tensors, config: Mapping[str, Any], pooling: str) -> np.ndarray:
    """The unit vector of one text in double precision, token by token and head by head, as BERT's paper has it."""
    named = {name: value.astype(np.float64) for name, value in weights.items()}
    first = 0 if config["model_type"] == "bert" else config["pad_token_id"] + 1
    positions = named["embeddings.position_embeddings.weight"]
    x = np.stack(
        [
            named["embeddings.word_embeddings.weight"][token]
            + positions[first + place]
            + named["embeddings.token_type_embeddings.weight"][0]
            for place, token in enumerate(ids)
        ]
    )
    x = _norm(x, named, "embeddings.LayerNorm", config)
    for layer in range(config["num_hidden_layers"]):
        x = _layer(x, named, f"encoder.layer.{layer}.", config)
    pooled = x[0] if pooling == "cls" else x.mean(0)
    return pooled / math.sqrt((pooled**2).sum())


def _layer(x: np.ndarray, named: Tensors, prefix: str, config: Mapping[str, Any]) -> np.ndarray:
    def dense(value: np.ndarray, name: str) -> np.ndarray:
        return value @ named[f"{prefix}{name}.weight"].T + named[f"{prefix}{name}.bias"]

    size = config["hidden_size"] // config["num_attention_heads"]
    query, key, value = (dense(x, f"attention.self.{part}") for part in ("query", "key", "value"))
    heads = []
    for start in range(0, config["hidden_size"], size):
        part = slice(start, start + size)
        weights = np.exp(query[:, part] @ key[:, part].T / math.sqrt(size))
        heads.append(weights / weights.sum(1, keepdims=True) @ value[:, part])
    attended = dense(np.concatenate(heads, 1), "attention.output.dense")
    x = _norm(x + attended, named, f"{prefix}attention.output.LayerNorm", config)
    fed = dense(_ACTIVATIONS[config["hidden_act"]](dense(x, "intermediate.dense")), "output.dense")
    return _norm(x + fed, named, f"{prefix}output.LayerNorm", config)


def _norm(x: np.ndarray, named: Tensors, name: str, config: Mapping[str, Any]) -> np.ndarray:
    deviation = np.sqrt(x.var(1, keepdims=True) + config["layer_norm_eps"])
    return (x - x.mean(1, keepdims=True)) / deviation * named[f"{name}.weight"] + named[f"{name}.bias"]


def _tanh_gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


_ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu": lambda x: 0.5 * x * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0))),
    "gelu_new": _tanh_gelu,
    "gelu_pytorch_tanh": _tanh_gelu,
    "relu": lambda x: np.maximum(x, 0.0),
    "silu": lambda x: x / (1.0 + np.exp(-x)),
}
