"""Events and requests: histories with external ids at the edge, dense arrays inside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int

from model.errors import DataError


class Interaction(NamedTuple):
    """One event of a user: an item, one of `config.KINDS`, and the time in unix seconds (UTC)."""

    item_id: str
    kind: str
    at: float


@dataclass(frozen=True)
class RankRequest:
    """A user's history, oldest first, and the item ids that must not be in the answer."""

    history: Sequence[Interaction] = ()
    excluded: Collection[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Ranked:
    """Item ids, best first, and their scores (higher is better; comparable only within one answer).

    `because` has, for each of the first items that were to be explained, the event of the history that raised its score
    most, None if none did; it is empty without an explanation.
    """

    item_ids: list[str]
    scores: list[float]
    because: list[Interaction | None] = field(default_factory=list)


class Interactions(NamedTuple):
    """Events of many users in any order; items index the item list, kinds `config.KINDS`."""

    users_E: Int[np.ndarray, " E"]
    items_E: Int[np.ndarray, " E"]
    kinds_E: Int[np.ndarray, " E"]
    at_E: Float64[np.ndarray, " E"]  # unix seconds, or any ascending number if there are no times


def ordered(events: Interactions) -> Interactions:
    """The events by user, then time, then their original order."""
    order_E = np.lexsort((np.arange(len(events.users_E)), events.at_E, events.users_E))
    return take(events, order_E)


def spans(ordered_events: Interactions) -> tuple[Int[np.ndarray, " U"], Int[np.ndarray, " U"]]:
    """Where each user's events start and end, in events sorted by user."""
    users_E = ordered_events.users_E
    start_U = np.flatnonzero(np.diff(users_E, prepend=users_E[:1] - 1)) if len(users_E) else np.zeros(0, np.int64)
    return start_U, np.append(start_U[1:], len(users_E)).astype(np.int64)


def take(events: Interactions, which: np.ndarray) -> Interactions:
    """The events at these positions, or where this mask is True."""
    return Interactions(*(np.asarray(column)[which] for column in events))


def check(events: Interactions, *, items: int, kinds: int) -> None:
    """Raises DataError if columns differ in length, an index is out of range or a time is not finite."""
    lengths = {name: len(column) for name, column in events._asdict().items()}
    if len(set(lengths.values())) != 1:
        raise DataError(f"the columns of the interactions differ in length: {lengths}")
    for name, column, limit in (("items_E", events.items_E, items), ("kinds_E", events.kinds_E, kinds)):
        bad = np.flatnonzero((np.asarray(column) < 0) | (np.asarray(column) >= limit))
        if bad.size:
            raise DataError(f"{name}[{bad[0]}] is {column[bad[0]]}, outside 0..{limit - 1}")
    if not np.isfinite(events.at_E).all():
        raise DataError(f"at_E[{np.flatnonzero(~np.isfinite(events.at_E))[0]}] is not a finite number of seconds")
