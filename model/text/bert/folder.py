"""Reads the folder of a published encoder, in the layout of Hugging Face and sentence-transformers. Writes nothing.

| file | what is read |
| --- | --- |
| `config.json` | the network's shapes |
| `model.safetensors` | its weights |
| `tokenizer.json` | how text becomes tokens |
| `modules.json`, `1_Pooling/config.json` | how tokens' vectors become one; without these files it is their mean |
| `sentence_bert_config.json` | how many tokens of a text count, and whether it is lower-cased first |
| `config_sentence_transformers.json` | the prefixes of queries and passages |

The first three are required. `safetensors` and `tokenizers` are needed: `pip install 'reshelf-server[encoder]'`.
"""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from model.errors import ArtifactError, ConfigError
from model.text.bert import config as configs
from model.text.bert import tensors
from model.text.bert.config import EncoderConfig

_CONFIG, _WEIGHTS, _TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
_MODULES = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True)
class Folder:
    """The contents of the files.

    `tokenizer` is a `tokenizers.Tokenizer`; `longest` counts tokens, including special ones.
    """

    config: EncoderConfig
    params: dict[str, np.ndarray]
    tokenizer: Any
    longest: int
    lower_case: bool
    query_prefix: str
    passage_prefix: str


def read(folder: str | os.PathLike[str], *, pooling: str | None = None) -> Folder:
    """Everything that the encoder in `folder` needs; `pooling` ("mean" or "cls") overrides the folder's.

    Raises ArtifactError for a file that is missing, unreadable or does not fit the others, and ConfigError for an
    unsupported network or a library that is not installed; each names the file and what to do.
    """
    source = Path(folder).absolute()
    for name in (_CONFIG, _WEIGHTS, _TOKENIZER):
        _exists(source, name)
    try:
        config = configs.from_json(_json(source / _CONFIG), pooling=pooling or _pooling(source))
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error
    sentences = _optional(source / "sentence_bert_config.json")
    prompts = _optional(source / "config_sentence_transformers.json").get("prompts") or {}
    return Folder(
        config=config,
        params=_params(source / _WEIGHTS, config),
        tokenizer=_tokenizer(source / _TOKENIZER, config),
        longest=_longest(sentences, config),
        lower_case=bool(sentences.get("do_lower_case")),
        query_prefix=str(prompts.get("query") or ""),
        passage_prefix=str(prompts.get("passage") or prompts.get("document") or ""),
    )


def _exists(source: Path, name: str) -> None:
    if (source / name).is_file():
        return
    if not source.is_dir():
        raise ArtifactError(f"{source} is no folder; give the one that holds the encoder's {_CONFIG}")
    why = ""
    if name == _WEIGHTS and list(source.glob("pytorch_model*.bin")):
        why = ": its pytorch_model.bin is not read, since a pickle may run code; save the model with safetensors"
    elif name == _WEIGHTS and list(source.glob("model-*.safetensors")):
        why = ": it is in parts; save the model in one file"
    elif name == _TOKENIZER:
        why = "; save the fast tokenizer of the model there (AutoTokenizer.save_pretrained writes it)"
    raise ArtifactError(f"{source} has no {name}{why}. An encoder needs {_CONFIG}, {_WEIGHTS} and {_TOKENIZER}")


def _json(path: Path) -> dict[str, Any]:
    value = _parsed(path)
    if not isinstance(value, dict):
        raise ArtifactError(f"{path} holds no JSON object; fetch it anew")
    return value


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ArtifactError(f"{path} is not JSON ({error}); fetch it anew") from error


def _optional(path: Path) -> dict[str, Any]:
    return _json(path) if path.is_file() else {}


def _pooling(source: Path) -> str:
    where = "1_Pooling"
    if (source / "modules.json").is_file():
        modules = _modules(source / "modules.json")
        if others := [kind for kind in modules if kind not in _MODULES]:
            raise ConfigError(
                f"modules.json asks for {', '.join(others)}, which is not supported; supported: {', '.join(_MODULES)}"
            )
        where = modules.get("Pooling", where)
    description = _optional(source / where / _CONFIG)
    return configs.pooling_of(description) if description else "mean"


def _modules(path: Path) -> dict[str, str]:
    """For each module, by the last part of its class name, the folder with its config."""
    modules = _parsed(path)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise ArtifactError(f"{path} holds no list of modules; fetch it anew")
    return {str(module.get("type", "")).rpartition(".")[2]: str(module.get("path", "")) for module in modules}


def _longest(sentences: dict[str, Any], config: EncoderConfig) -> int:
    told = sentences.get("max_seq_length")
    return min(told, config.longest) if isinstance(told, int) else config.longest


def _params(path: Path, config: EncoderConfig) -> dict[str, np.ndarray]:
    safetensors = _library("safetensors")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            names = tensors.known(file.keys())
            found = {name: file.get_slice(original).get_shape() for name, original in names.items()}
            tensors.check(found, config, source=path)
            return tensors.params({name: file.get_tensor(original) for name, original in names.items()}, config)
    except safetensors.SafetensorError as error:
        raise ArtifactError(f"{path} cannot be read ({error}); fetch it anew") from error


def _tokenizer(path: Path, config: EncoderConfig) -> Any:
    library = _library("tokenizers")
    try:
        tokenizer = library.Tokenizer.from_file(os.fspath(path))
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise ArtifactError(f"{path} cannot be read ({error}); fetch it anew") from error
    if tokenizer.get_vocab_size() > config.vocabulary:
        raise ArtifactError(
            f"{path} knows {tokenizer.get_vocab_size()} tokens, {_CONFIG} {config.vocabulary}; "
            "use the files of one and the same model"
        )
    return tokenizer


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"a published encoder needs {name}: pip install 'reshelf-server[encoder]'") from error
