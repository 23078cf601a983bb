"""From rows of JSON to messages: the good rows are kept, each bad one is answered with the field and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from reshelf import clock
from reshelf.catalogue import Change
from reshelf.events import Event
from reshelf.orders import Label, Order

_SURROGATE = re.compile("[\ud800-\udfff]")

M = TypeVar("M")


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Why one row of a batch was not taken."""

    index: int
    """Place in the batch, from 0."""
    id: str | None
    """The row's own id (`event_id`, `change_id`, `order_id` or `label_id`), where it has a readable one."""
    field: str
    """The field that is wrong, as a path such as `context[...]`; `row` when it is the row itself."""
    error: str
    row: Any = None
    """The row as it came, for the dead letters."""


class Parsed(msgspec.Struct, Generic[M], frozen=True):
    """The messages of a batch, and a rejection for every row that is none."""

    good: list[M]
    bad: list[Rejection]


def parse_events(rows: Iterable[Any], *, now: datetime | None = None, is_plain: bool = False) -> Parsed[Event]:
    """Return the rows as events. One from before 2000, or over a day ahead of `now` (UTC), is rejected: wrong clock.

    `is_plain` says that no text holds a NUL or half a surrogate pair, which is looked for otherwise.
    """
    return _parse(rows, Event, "event_id", now, is_plain=is_plain)


def parse_changes(rows: Iterable[Any], *, now: datetime | None = None) -> Parsed[Change]:
    """Return the rows as catalogue changes, under the same rules for their time."""
    return _parse(rows, Change, "change_id", now)


def parse_orders(rows: Iterable[Any], *, now: datetime | None = None) -> Parsed[Order]:
    """Return the rows as orders, under the same rules for their time."""
    return _parse(rows, Order, "order_id", now)


def parse_labels(rows: Iterable[Any], *, now: datetime | None = None) -> Parsed[Label]:
    """Return the rows as labels of orders, under the same rules for their time."""
    return _parse(rows, Label, "label_id", now)


def _parse(
    rows: Iterable[Any], kind: Any, id_field: str, now: datetime | None, *, is_plain: bool = False
) -> Parsed[Any]:
    good: list[Any] = []
    bad: list[Rejection] = []
    earliest, latest = clock.bounds(now)
    for index, row in enumerate(rows):
        try:
            message = msgspec.convert(row, kind)
            _require_plausible(message.at, earliest, latest)
            if not is_plain:
                _require_storable(row)
        except msgspec.ValidationError as error:
            bad.append(_rejection(index, row, id_field, str(error)))
        else:
            good.append(message)
    return Parsed(good, bad)


def _require_plausible(at: datetime, earliest: datetime, latest: datetime) -> None:
    """Raise for a time that only a wrong clock gives."""
    if at > latest:
        raise msgspec.ValidationError(f"{at.isoformat()} is in the future - at `$.at`")
    if at < earliest:
        raise msgspec.ValidationError(f"{at.isoformat()} is before {earliest.year}: was the clock set? - at `$.at`")


def _require_storable(row: dict[str, Any]) -> None:
    """Raise for what a sender's JSON can say and a Postgres text cannot hold: NUL, half a surrogate pair."""
    for name, value in row.items():
        for text in _texts(value):
            if "\x00" in text:
                raise msgspec.ValidationError(f"remove the NUL character - at `$.{name}`")
            if _SURROGATE.search(text):
                raise msgspec.ValidationError(f"is not valid Unicode (a lone surrogate) - at `$.{name}`")


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _rejection(index: int, row: Any, id_field: str, message: str) -> Rejection:
    reason, _, path = message.partition(" - at `$")
    field = path.rstrip("`").lstrip(".") or _field_named_in(reason) or "row"
    identity = row.get(id_field) if isinstance(row, dict) else None
    return Rejection(
        index=index, id=identity if isinstance(identity, str) else None, field=field, error=reason, row=row
    )


def _field_named_in(reason: str) -> str | None:
    """Return the field of msgspec's "missing required field `x`" and "contains unknown field `x`"."""
    before, _, rest = reason.partition(" field `")
    return rest.rstrip("`") if rest and before.startswith("Object") else None
