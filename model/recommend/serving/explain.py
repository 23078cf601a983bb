"""Why an item is recommended: the item of the history without which its score would fall most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from model.recommend.events import Interaction

MOST_EXPLAINED = 32
"""Items of a ranking that can be explained."""

MOST_REASONS = 5
"""Only the last distinct items of a history can be reasons: each costs one more encoding."""


def last_items(history: Sequence[Interaction]) -> list[str]:
    """The last distinct items of a history, newest first."""
    return list(dict.fromkeys(event.item_id for event in reversed(history)))[:MOST_REASONS]


def without(history: Sequence[Interaction], omitted: str | None) -> list[Interaction]:
    """The history without the events of this item; unchanged for None."""
    return [event for event in history if event.item_id != omitted]


def select(
    histories: Sequence[Sequence[Interaction]],
    asked: Sequence[tuple[int, str | None]],
    scores_VxK: Float32[np.ndarray, "V K"],
    counts: Sequence[int],
) -> list[list[Interaction | None]]:
    """The reasons of each answer's first items, `counts` of them.

    `asked[v]` says which answer the scores in row v belong to, and which item its history lacked (None first). If no
    omission lowers an item's score, it has no reason.
    """
    rows: dict[int, list[int]] = {}
    for v, (n, _) in enumerate(asked):
        rows.setdefault(n, []).append(v)
    because = []
    for n, history in enumerate(histories):
        whole, *parts = rows[n]
        last = {event.item_id: event for event in history}
        falls_OxK = scores_VxK[whole][None] - scores_VxK[parts]
        events = [last[asked[v][1] or ""] for v in parts]
        because.append([_reason(falls_OxK[:, k], events) for k in range(counts[n])])
    return because


def _reason(falls_O: Float32[np.ndarray, " O"], events: Sequence[Interaction]) -> Interaction | None:
    if not len(falls_O) or falls_O.max() <= 0.0:
        return None
    return events[int(falls_O.argmax())]
