"""A ranker's work on the host: events to arrays before a compiled call, and arrays to an answer after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from model.batching import pad_lists, pad_rows
from model.errors import ConfigError
from model.recommend import config as configs
from model.recommend.config import RecommendConfig
from model.recommend.events import Interaction, Ranked


class EventArrays(NamedTuple):
    """Histories with a start cell: slot, kind, seconds before the last event; and their lengths."""

    slots_BxL: Int32[np.ndarray, "B L"]
    kinds_BxL: Int32[np.ndarray, "B L"]
    seconds_BxL: Float32[np.ndarray, "B L"]
    lengths_B: Int32[np.ndarray, " B"]


def lengths(history: int) -> tuple[int, ...]:
    """The lengths of histories that calls are compiled for."""
    return (*(length for length in (8, 16, 24, 32, 40) if length < history), history)


def widths(capacity: int) -> tuple[int, ...]:
    """The numbers of excluded items that calls are compiled for."""
    return (*(width for width in (64, 1024, 16_384, 262_144) if width < capacity), capacity)


def known(
    history: Sequence[Interaction], slots: Mapping[str, int], kinds: Mapping[str, int], config: RecommendConfig
) -> list[Interaction]:
    """The last events that count: of known items, and of kinds with a weight.

    Raises ConfigError for an unknown kind.
    """
    gains, kept = config.kind_weights, []
    for event in reversed(history):
        item_id, kind, _ = event
        if kind not in kinds:
            raise ConfigError(f"unknown event kind {kind!r}; known: {', '.join(configs.KINDS)}")
        if item_id in slots and gains[kinds[kind]] != 0:
            kept.append(event)
            if len(kept) == config.history:
                break
    return kept[::-1]


def event_arrays(
    histories: Sequence[Sequence[Interaction]],
    slots: Mapping[str, int],
    kinds: Mapping[str, int],
    *,
    rows: int,
    width: int,
    capacity: int,
) -> EventArrays:
    """The histories as arrays of `rows` x `width`."""
    columns = [tuple(zip(*history, strict=True)) or ((), (), ()) for history in histories]
    slots_of = [[capacity, *map(slots.__getitem__, items)] for items, _, _ in columns]
    kinds_of = [[-1, *map(kinds.__getitem__, named)] for _, named, _ in columns]
    seconds = [[at - ats[-1] for at in (*ats[:1], *ats)] or [0.0] for _, _, ats in columns]
    return EventArrays(
        pad_lists(slots_of, rows=rows, width=width, fill=capacity, dtype=np.int32),
        pad_lists(kinds_of, rows=rows, width=width, fill=-1, dtype=np.int32),
        pad_lists(seconds, rows=rows, width=width, fill=0.0, dtype=np.float32),
        pad_rows(np.array([len(history) for history in histories], np.int32), rows),
    )


def best(scores_K: np.ndarray, ids_K: np.ndarray, k: int) -> Ranked:
    """The `k` best of these with finite scores; ties by id."""
    finite_K = np.isfinite(scores_K)
    scores_K, ids_K = scores_K[finite_K], ids_K[finite_K]
    order_K = np.argsort(-scores_K, kind="stable")
    scores_K, ids_K = scores_K[order_K], ids_K[order_K]
    if (scores_K[1 : k + 1] == scores_K[:k][: len(scores_K) - 1]).any():
        pairs = sorted(zip((-scores_K).tolist(), ids_K.tolist(), strict=True))[:k]
        return Ranked([item_id for _, item_id in pairs], [-score for score, _ in pairs])
    return Ranked(ids_K[:k].tolist(), scores_K[:k].tolist())
