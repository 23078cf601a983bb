"""The names and shapes of a published checkpoint's tensors, and their conversion to this network's parameters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from model.errors import ArtifactError
from model.text.bert.config import EncoderConfig

# The prefix of names in a checkpoint that was saved with a head, and the tensors that belong only to heads.
_PREFIX = re.compile(r"^(bert|roberta)\.")
_HEADS = re.compile(r"^(pooler|cls|lm_head|classifier|qa_outputs)\.|^embeddings\.(position|token_type)_ids$")
# BERT's first checkpoints name a norm's gain and bias by Greek letters.
_GREEK = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}

_WORDS, _POSITIONS, _SEGMENTS = (f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type"))
_QKV = tuple(f"attention.self.{part}" for part in ("query", "key", "value"))
_OUT, _ATTENDED = "attention.output.dense", "attention.output.LayerNorm"
_UP, _DOWN, _FED = "intermediate.dense", "output.dense", "output.LayerNorm"


def known(names: Iterable[str]) -> dict[str, str]:
    """For each tensor that the network needs or does not know, its name here and its name in the checkpoint.

    Tensors of heads (pooler, language model, classifier) are left out.
    """
    found = {_renamed(name): name for name in names}
    return {name: original for name, original in found.items() if not _HEADS.match(name)}


def shapes(config: EncoderConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor that a checkpoint of this config has, by its name without a prefix. Matrices are output x input."""
    dim, inner = config.dim, config.inner
    made: dict[str, tuple[int, ...]] = {
        _WORDS: (config.vocabulary, dim),
        _POSITIONS: (config.positions, dim),
        _SEGMENTS: (config.segments, dim),
    }
    made |= _pair("embeddings.LayerNorm", (dim,))
    for block in range(config.blocks):
        for name in (*_QKV, _OUT):
            made |= _pair(_of(block, name), (dim, dim))
        made |= _pair(_of(block, _UP), (inner, dim)) | _pair(_of(block, _DOWN), (dim, inner))
        made |= _pair(_of(block, _ATTENDED), (dim,)) | _pair(_of(block, _FED), (dim,))
    return made


def check(found: Mapping[str, Sequence[int]], config: EncoderConfig, *, source: object) -> None:
    """Raises ArtifactError that names `source` and the first tensors that are missing, unexpected or misshapen."""
    wanted = shapes(config)
    if missing := [name for name in wanted if name not in found]:
        raise ArtifactError(f"{source} lacks {_listed(missing)}{_hint(missing[0], found)}; {_CURE}")
    if unexpected := [name for name in found if name not in wanted]:
        raise ArtifactError(f"{source} holds {_listed(unexpected)}, which config.json does not account for; {_CURE}")
    for name, shape in wanted.items():
        if tuple(found[name]) != shape:
            raise ArtifactError(f"{source}: {name} has shape {tuple(found[name])}, config.json says {shape}; {_CURE}")


def params(tensors: Mapping[str, np.ndarray], config: EncoderConfig) -> dict[str, np.ndarray]:
    """The network's parameters (see `layers.shapes`) in float32 from tensors that passed `check`."""
    made = {"words": tensors[_WORDS], "positions": tensors[_POSITIONS], "segments": tensors[_SEGMENTS]}
    made |= _norm("norm", tensors, "embeddings.LayerNorm")
    for block in range(config.blocks):
        made |= _affine(f"blocks.{block}.qkv", tensors, *(_of(block, name) for name in _QKV))
        for ours, theirs in (("out", _OUT), ("up", _UP), ("down", _DOWN)):
            made |= _affine(f"blocks.{block}.{ours}", tensors, _of(block, theirs))
        for ours, theirs in (("attended", _ATTENDED), ("fed", _FED)):
            made |= _norm(f"blocks.{block}.{ours}", tensors, _of(block, theirs))
    return {name: np.ascontiguousarray(value, np.float32) for name, value in made.items()}


_CURE = "use the config.json and model.safetensors of one and the same model"


def _renamed(name: str) -> str:
    name = _PREFIX.sub("", name)
    for greek, latin in _GREEK.items():
        name = name.replace(greek, latin)
    return name


def _of(block: int, name: str) -> str:
    return f"encoder.layer.{block}.{name}"


def _pair(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def _norm(ours: str, tensors: Mapping[str, np.ndarray], theirs: str) -> dict[str, np.ndarray]:
    return {f"{ours}.gain": tensors[f"{theirs}.weight"], f"{ours}.bias": tensors[f"{theirs}.bias"]}


def _affine(ours: str, tensors: Mapping[str, np.ndarray], *theirs: str) -> dict[str, np.ndarray]:
    """One matrix in place of several with the same input; transposed, since a row here is an input."""
    weight = np.concatenate([tensors[f"{name}.weight"] for name in theirs]).T
    return {f"{ours}.weight": weight, f"{ours}.bias": np.concatenate([tensors[f"{name}.bias"] for name in theirs])}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in names[:3]) + more


def _hint(name: str, found: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(found), n=1, cutoff=0.9)
    return f" (it has {near[0]!r})" if near else ""
