"""From rows of JSON to messages: good rows are kept, each bad one is answered with the field and the fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from reshelf import clock
from reshelf.catalogue import Change
from reshelf.events import Event
from reshelf.lenient import Unparsed
from reshelf.orders import CARD_NUMBER, Label, Line, Order

_SURROGATE = re.compile("[\ud800-\udfff]")
_PATH = " - at `$"

# An order is screened without any of these that cannot be read, and what stands in the message then.
_SPARED: Mapping[str, Any] = {
    **dict.fromkeys(
        ("currency", "payment_id", "device_id", "ip", "email", "phone", "address_id", "shipping_country"), None
    ),
    **dict.fromkeys(("billing_country", "terminal_id"), None),
    "items": (),
}

M = TypeVar("M")


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Why one row of a batch was rejected."""

    index: int
    """Its index in the batch, from 0."""
    id: str | None
    """The row's own id (`event_id`, `change_id`, `order_id` or `label_id`), if it has a readable one."""
    field: str
    """The field that is wrong, as a path such as `context[...]`; `row` when it is the row itself."""
    error: str
    row: Any = None
    """The row as it came, for the dead letters."""


class Parsed(msgspec.Struct, Generic[M], frozen=True):
    """The messages of a batch, and a rejection for every row that is not one."""

    good: list[M]
    bad: list[Rejection]
    unread: dict[int, dict[str, str]] = {}
    """By the place in `good`, fields that an order came with and is taken without, each with the reason."""


def parse_events(rows: Iterable[Any], *, now: datetime | None = None, is_plain: bool = False) -> Parsed[Event]:
    """Return the rows as events. Rejects times before 2000 or more than a day after `now` (UTC): a wrong clock.

    `is_plain` says that no text holds a NUL or half a surrogate pair; otherwise every text is checked for them.
    """
    return _parse(rows, Event, "event_id", now, is_plain=is_plain)


def parse_changes(rows: Iterable[Any], *, now: datetime | None = None, is_plain: bool = False) -> Parsed[Change]:
    """Return the rows as catalogue changes, under the same rules for their time."""
    return _parse(rows, Change, "change_id", now, is_plain=is_plain)


def parse_orders(rows: Iterable[Any], *, now: datetime | None = None, is_plain: bool = False) -> Parsed[Order]:
    """Return the rows as orders, under the same rules for their time.

    A field that an order can do without, and that cannot be read, costs the order that field alone (`unread`).
    """
    return _parse(rows, Order, "order_id", now, is_plain=is_plain, spare=_spare)


def parse_labels(rows: Iterable[Any], *, now: datetime | None = None, is_plain: bool = False) -> Parsed[Label]:
    """Return the rows as labels of orders, under the same rules for their time."""
    return _parse(rows, Label, "label_id", now, is_plain=is_plain)


Spare = Callable[[dict[str, Any], Rejection, dict[str, str]], bool]


def _parse(
    rows: Iterable[Any],
    kind: Any,
    id_field: str,
    now: datetime | None,
    *,
    is_plain: bool,
    spare: Spare = lambda *_: False,
) -> Parsed[Any]:
    found: Parsed[Any] = Parsed([], [], {})
    bounds = clock.bounds(now)
    for index, row in enumerate(rows):
        try:
            found.good.append(_message(row, kind, bounds, is_plain))
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            _settle(found, index, row, error, id_field, lambda one: _message(one, kind, bounds, is_plain), spare)
    return found


def _message(row: Any, kind: Any, bounds: tuple[datetime, datetime], is_plain: bool) -> Any:
    message = msgspec.convert(row, kind)
    _require_plausible(message.at, *bounds)
    if not is_plain:
        _require_storable(row)
    return message


def _settle(
    found: Parsed[Any],
    index: int,
    row: Any,
    error: Exception,
    id_field: str,
    again: Callable[[Any], Any],
    spare: Spare,
) -> None:
    """Take a row that was refused without what it can do without, or reject it."""
    given, unread = row, dict[str, str]()
    while True:
        rejection = _rejection(index, given, id_field, error)
        if not isinstance(given, dict):
            break
        given = dict(given)
        if not spare(given, rejection, unread):
            break
        try:
            message = again(given)
        except (msgspec.ValidationError, UnicodeEncodeError) as another:
            error = another
        else:
            found.unread[len(found.good)] = unread
            found.good.append(message)
            return
    found.bad.append(msgspec.structs.replace(rejection, row=row.text if isinstance(row, Unparsed) else row))


def _spare(row: dict[str, Any], rejection: Rejection, unread: dict[str, str]) -> bool:
    """Take the field that a rejection names out of an order; False where it cannot be without it."""
    name = re.split(r"[.\[]", rejection.field)[0]
    if name not in _SPARED or name not in row or rejection.error == CARD_NUMBER:
        return False
    unread.setdefault(name, rejection.error)
    lines = row[name] if name == "items" and isinstance(row[name], list) else []
    kept = [line for line in lines if _is_line(line)]
    row[name] = kept if 0 < len(kept) < len(lines) else _SPARED[name]
    return True


def _is_line(line: Any) -> bool:
    try:
        msgspec.convert(line, Line)
        _require_storable(line)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return False
    return True


def _require_plausible(at: datetime, earliest: datetime, latest: datetime) -> None:
    """Raise for a time that only a wrong clock gives."""
    if at > latest:
        raise msgspec.ValidationError(f"{at.isoformat()} is in the future{_PATH}.at`")
    if at < earliest:
        raise msgspec.ValidationError(f"{at.isoformat()} is before {earliest.year}: was the clock set?{_PATH}.at`")


def _require_storable(row: dict[str, Any]) -> None:
    """Raise for what JSON allows and a Postgres text cannot hold: NUL, and half a surrogate pair."""
    for name, value in row.items():
        for text in (value,) if isinstance(value, str) else _within(value):
            if not isinstance(text, str) or (text.isascii() and "\x00" not in text):
                continue
            if "\x00" in text:
                raise msgspec.ValidationError(f"remove the NUL character{_PATH}.{name}`")
            if _SURROGATE.search(text):
                raise msgspec.ValidationError(f"is not valid Unicode (a lone surrogate){_PATH}.{name}`")


def _within(value: Any) -> Iterable[Any]:
    """Yield what a value holds that holds nothing itself, names among it; however deep that is."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.values(), *one]
        elif isinstance(one, list | tuple):
            waiting += one
        else:
            yield one


def _rejection(index: int, row: Any, id_field: str, error: Exception) -> Rejection:
    reason, field = _reason(row, error)
    identity = row.get(id_field) if isinstance(row, dict) else None
    known = _printable(identity) if isinstance(identity, str) else None
    return Rejection(index=index, id=known, field=_printable(field), error=_printable(reason), row=row)


def _reason(row: Any, error: Exception) -> tuple[str, str]:
    """Return why a row is refused, and the field."""
    if isinstance(row, Unparsed):
        return row.why, "row"
    if isinstance(error, UnicodeEncodeError):  # msgspec looks at names and kinds only, and says neither
        return "is not valid Unicode (a lone surrogate)", _unencodable(row)
    reason, *paths = str(error).split(_PATH)
    # A message's own check names the field within the message; msgspec then says where that is.
    field = ".".join(path.rstrip("`").lstrip(".") for path in reversed(paths) if path != "`")
    field = field or _field_named_in(reason) or "row"
    value = row.get(re.split(r"[.\[]", field)[0]) if isinstance(row, dict) else None
    return next((one.why for one in _within(value) if isinstance(one, Unparsed)), reason), field


def _unencodable(row: Any) -> str:
    """Return the field whose name or value holds half a surrogate pair."""
    for name, value in row.items() if isinstance(row, dict) else ():
        if _SURROGATE.search(name) or any(_SURROGATE.search(text) for text in _within(value) if isinstance(text, str)):
            return str(name)
    return "row"


def _printable(text: str) -> str:
    """Return the text as it can be answered, with a mark for what no Unicode text holds."""
    return _SURROGATE.sub("�", text)


def _field_named_in(reason: str) -> str | None:
    """Return the field that msgspec names in "missing required field `x`" or "contains unknown field `x`"."""
    before, _, rest = reason.partition(" field `")
    return rest.rstrip("`") if rest and before.startswith("Object") else None
