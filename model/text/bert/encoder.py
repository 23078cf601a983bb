"""Texts to unit vectors with a published encoder, in a few compiled shapes."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import jax
import numpy as np
from jaxtyping import Array, Float, Float32, Int

from model import batching, compilations
from model.errors import ConfigError
from model.text.bert import folder as folders
from model.text.bert import layers
from model.text.bert.config import EncoderConfig
from model.text.bert.folder import Folder

Role = Literal["query", "passage"]

# Tokens in one call, padding included. On two cores more were slower, since they do not fit into the cache.
_TILE = 1024
# Rows of small calls: one query, or a few new items.
_FEW = (1, 8)
_LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


def load(
    folder: str | os.PathLike[str],
    *,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
    pooling: str | None = None,
    longest: int | None = None,
) -> Encoder:
    """The encoder in `folder`; `folder.py` lists the files that are read. The options override the files.

    E5 needs `query_prefix="query: "` and `passage_prefix="passage: "`, which its files do not contain. `longest` is how
    many tokens of a text count. Raises ArtifactError for files that are missing or contradict each other, ConfigError
    for a network or an option that is not supported.
    """
    read = folders.read(folder, pooling=pooling)
    return Encoder(
        read,
        query_prefix=read.query_prefix if query_prefix is None else query_prefix,
        passage_prefix=read.passage_prefix if passage_prefix is None else passage_prefix,
        longest=read.longest if longest is None else longest,
    )


class Encoder:
    """Encodes texts; a text that is too long is cut. For one thread at a time."""

    def __init__(self, read: Folder, *, query_prefix: str, passage_prefix: str, longest: int) -> None:
        if not 2 < longest <= read.config.longest:
            raise ConfigError(f"longest {longest} must be in 3..{read.config.longest}, the positions of this encoder")
        self.config = read.config
        self._prefixes = {"query": query_prefix, "passage": passage_prefix}
        self._lower_case = read.lower_case
        self._tokenizer = read.tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(longest)
        self._lengths = tuple(length for length in _LENGTHS if length < longest) + (longest,)
        self._params = jax.device_put(read.params)
        self._program = _program(read.config)
        self._counter = compilations.counter()

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self.config.dim

    @property
    def compilations(self) -> int:
        """Backend compilations in this process since they were first counted; does not grow after `warm`."""
        return self._counter.count

    def warm(self, *, tokens: int | None = None) -> None:
        """Compiles every shape for texts of up to `tokens` tokens, by default of all lengths."""
        for length in self._lengths:
            for rows in _rows(length):
                jax.block_until_ready(self._call([[]], rows, length))
            if tokens is not None and tokens <= length:
                return

    def encode(self, texts: Sequence[str], *, role: Role = "passage") -> Float32[np.ndarray, "N D"]:
        """`vectors_NxD`: one unit vector per text, in the given order; their products are cosines.

        `role` decides which prefix is added to each text. Any string has a vector, even an empty one. Raises
        ConfigError for another role.
        """
        if role not in self._prefixes:
            raise ConfigError(f"unknown role {role!r}; known: {', '.join(self._prefixes)}")
        tokens = self._tokens(texts, self._prefixes[role])
        vectors_NxD = np.empty((len(texts), self.dim), np.float32)
        calls = [(members, self._call(part, rows, length)) for members, part, rows, length in self._tiles(tokens)]
        for members, found_BxD in calls:
            vectors_NxD[members] = np.asarray(found_BxD)[: len(members)]
        return vectors_NxD

    def _tokens(self, texts: Sequence[str], prefix: str) -> list[list[int]]:
        # A lone surrogate has no UTF-8 encoding, which the tokenizer needs.
        clean = [(prefix + text).encode("utf-8", "replace").decode("utf-8") for text in texts]
        if self._lower_case:
            clean = [text.lower() for text in clean]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(clean)]

    def _tiles(self, tokens: Sequence[list[int]]) -> Iterator[tuple[np.ndarray, list[list[int]], int, int]]:
        """Texts of about the same length together: their indices, their tokens, and the shape that holds them."""
        buckets_N = np.array([batching.bucket_of(len(row), self._lengths) for row in tokens], np.int64)
        for length in np.unique(buckets_N).tolist():
            alike = np.flatnonzero(buckets_N == length)
            *few, many = _rows(length)
            for tile in batching.tiles(len(alike), many):
                members = alike[tile]
                yield members, [tokens[n] for n in members], batching.bucket_of(len(members), (*few, many)), length

    def _call(self, tokens: Sequence[list[int]], rows: int, length: int) -> Float[Array, "B D"]:
        tokens_BxL = batching.pad_lists(tokens, rows=rows, width=length, fill=self.config.padding, dtype=np.int32)
        lengths_B = batching.pad_rows(np.array([len(row) for row in tokens], np.int32), rows)
        return self._program(self._params, tokens_BxL, lengths_B)


def _rows(length: int) -> tuple[int, ...]:
    many = max(1, _TILE // length)
    return (*(rows for rows in _FEW if rows < many), many)


@functools.cache
def _program(config: EncoderConfig) -> Callable[..., Float[Array, "B D"]]:
    return jax.jit(functools.partial(_encode, config))


def _encode(
    config: EncoderConfig, params: layers.Params, tokens_BxL: Int[Array, "B L"], lengths_B: Int[Array, " B"]
) -> Float[Array, "B D"]:
    return layers.bind(config, params)(tokens_BxL, lengths_B)
