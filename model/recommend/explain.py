"""Why an item is recommended: the item of the history without which its score would fall most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from model.recommend.events import Interaction, Ranked

MOST_EXPLAINED = 32
"""Items of a ranking that can be explained."""

MOST_REASONS = 5
"""Only the last distinct items of a history can be reasons: each costs one more encoding."""


def last_items(history: Sequence[Interaction]) -> list[str]:
    """The last distinct items of a history, newest first."""
    return list(dict.fromkeys(event.item_id for event in reversed(history)))[:MOST_REASONS]


def without(history: Sequence[Interaction], omitted: str | None) -> list[Interaction]:
    """The history without any event of this item; as it is for None."""
    return [event for event in history if event.item_id != omitted]


def with_reasons(
    ranked: Sequence[Ranked],
    histories: Sequence[Sequence[Interaction]],
    asked: Sequence[tuple[int, str | None]],
    scores_VxK: Float32[np.ndarray, "V K"],
    count: int,
) -> list[Ranked]:
    """`ranked` with the reasons of each answer's first `count` items.

    `asked[v]` says which answer the scores in row v are of, and which item its history lacked (None first). An item
    whose score no omission lowers has no reason.
    """
    rows: dict[int, list[int]] = {}
    for v, (n, _) in enumerate(asked):
        rows.setdefault(n, []).append(v)
    explained = []
    for n, answer in enumerate(ranked):
        whole, *parts = rows[n]
        last = {event.item_id: event for event in histories[n]}
        falls_OxK = scores_VxK[whole][None] - scores_VxK[parts]
        because = [_reason(falls_OxK[:, k], [last[asked[v][1] or ""] for v in parts]) for k in range(count)]
        explained.append(replace(answer, because=because[: len(answer.item_ids)]))
    return explained


def _reason(falls_O: Float32[np.ndarray, " O"], events: Sequence[Interaction]) -> Interaction | None:
    if not len(falls_O) or falls_O.max() <= 0.0:
        return None
    return events[int(falls_O.argmax())]
