"""Whom a row or a message names: in the fields that name people, also where it is malformed or packed.

Only these fields count: a user may have the same id as an item.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from reshelf import fields
from reshelf.events import shopper_key
from storage.privacy.names import Names
from workers.canonical import orders as keys

_PEOPLE = ("user_id", "shopper", "customer_id", "email", "phone")
_SESSION, _ORDER = "session_id", "order_id"
_FIELDS = frozenset((*_PEOPLE, _SESSION, _ORDER))
_ESCAPED = re.compile(rf'"({"|".join(sorted(_FIELDS))})"\s*:\s*("(?:[^"\\]|\\.)*")')
_LEAST_PACKED = 24


class Who(Protocol):
    """Knows some people by their names: `storage.privacy.erased.Erased`, or `Known`."""

    def has(self, name: str | None) -> bool:
        """Return whether this is the id of one of them, or the key of a shopper."""

    def has_order(self, order_id: str | None) -> bool:
        """Return whether this is the id of an order of one of them."""


class Known:
    """One person."""

    def __init__(self, names: Names) -> None:
        self._names = frozenset(names.shoppers)
        self._orders = frozenset(names.orders)

    def has(self, name: str | None) -> bool:
        """Return whether this is the id of the person, or the key of their history."""
        return name in self._names

    def has_order(self, order_id: str | None) -> bool:
        """Return whether this is the id of an order of theirs."""
        return order_id in self._orders


def forms(user_id: str) -> list[str]:
    """Return the forms in which an id is kept: that of events first, then that of orders if it is another."""
    return list(dict.fromkeys((fields.identity(user_id), keys.identity(user_id))))


def names(value: Any, who: Who) -> bool:
    """Return whether a JSON value names one of these people."""
    return any(_is(field, text, who) for field, text in _named(value))


def _is(field: str, text: str, who: Who) -> bool:
    if field == _ORDER:
        return who.has_order(fields.identity(text))
    if field == _SESSION:
        return who.has(shopper_key(None, fields.identity(text)))
    return any(who.has(form) for form in forms(text))


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields that name somebody, with what they say, at any depth."""
    if isinstance(value, dict):
        for field, inner in value.items():
            if field in _FIELDS and isinstance(inner, str):
                yield field, inner
            else:
                yield from _named(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner)
    elif isinstance(value, str):
        yield from _named_in(value)


def _named_in(text: str) -> Iterator[tuple[str, str]]:
    """Do the same for a text that may be JSON, JSON that is cut off, or the packed body of a message."""
    if (unpacked := _unpacked(text)) is not None:
        text = unpacked
    for field, quoted in _ESCAPED.findall(text):
        try:
            yield field, json.loads(quoted)
        except ValueError:
            continue
    if "\\" in text:  # JSON within JSON
        yield from _named_escaped(text)


def _named_escaped(text: str) -> Iterator[tuple[str, str]]:
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return
    if not isinstance(inner, str):
        yield from _named(inner)


def _unpacked(text: str) -> str | None:
    """Return what a text holds in base64, None if it is none."""
    if len(text) < _LEAST_PACKED or not text.isascii() or len(text) % 4 or '"' in text:
        return None
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
