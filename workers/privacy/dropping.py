"""Drop at the doors what comes of the erased. While nobody was erased, all of it returns at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.dead_letters import DeadLetter
from storage.events import intake
from storage.fraud import orders
from storage.privacy.erased import Erased
from workers.privacy import mentions

Row = dict[str, Any]

WHY_UNKEPT = "the customer was erased: the order is decided by what it says of itself, and not kept"

_NAMING = tuple(orders.KEYS[column] for column in ("customer", "email", "phone"))


def rows(erased: Erased, door: str, given: Sequence[Row]) -> Sequence[Row]:
    """Return the rows of a door that are not of erased people."""
    if erased.is_empty:
        return given
    if door == intake.EVENTS_DOOR:
        return [row for row in given if not erased.has(row["shopper"])]
    if door == intake.LABELS_DOOR:
        return [row for row in given if not erased.has_order(row["order_id"])]
    return given


def letters(erased: Erased, given: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
    """Return the dead letters that name nobody who was erased."""
    if erased.is_empty:
        return given
    return [letter for letter in given if not mentions.names(letter.payload, erased)]


def is_of(erased: Erased, order: Row) -> bool:
    """Return whether an order (`order_id`, `message`) is of an erased person."""
    if erased.is_empty:
        return False
    message = order["message"]
    return erased.has_order(order["order_id"]) or any(erased.has(message.get(field)) for field in _NAMING)
