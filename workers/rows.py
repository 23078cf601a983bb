"""Messages to the plain rows that `storage` writes: times in UTC, keys in one form, only what was given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import msgspec

from reshelf import catalogue, fields
from reshelf.events import Event
from reshelf.orders import Label, Order
from workers import markup
from workers.canonical import countries
from workers.canonical import orders as keys

_COLUMNS = (
    "event_id",
    "kind",
    "item_id",
    "value",
    "quantity",
    "session_id",
    "surface",
    "request_id",
    "query",
    "rank",
    "context",
)
# What items are chosen and counted by, and what names them in the catalogue.
_COMPARED = ("category", "brand", "tags", "attributes")
_ENVELOPE = ("change_id", "item_id", "at", "version")


def event_row(event: Event) -> dict[str, Any]:
    """Return the event as a row for `storage.events.intake.write_events`."""
    row: dict[str, Any] = {name: getattr(event, name) for name in _COLUMNS}
    row["shopper"] = event.shopper
    row["at"] = event.at.astimezone(UTC)
    if event.context:
        row["context"] = traits(event.context)
    return row


def traits(given: Mapping[str, str]) -> dict[str, str]:
    """Return what is known of a shopper in one form: a country by its code, other texts composed (NFC)."""
    found = {fields.composed(name): fields.composed(value) for name, value in given.items()}
    if "country" in found:
        found["country"] = countries.trait(found["country"])
    return found


def change_row(change: catalogue.Change) -> dict[str, Any]:
    """Return the change as a row for `storage.events.intake.write_changes`."""
    at = change.at.astimezone(UTC)
    given = {name: getattr(change, name) for name in change.__struct_fields__ if name not in _ENVELOPE}
    composed = {name: _composed(name, value) for name, value in given.items() if value is not msgspec.UNSET}
    changed = markup.fields(composed)
    if (stock := changed.get("stock")) is not None and stock < 0:  # oversold
        changed["stock"] = 0
    if isinstance(change, catalogue.Delete):
        changed["deleted_at"] = at
    if isinstance(change, catalogue.Upsert):
        changed["deleted_at"] = None
    return {
        "change_id": change.change_id,
        "item_id": change.item_id,
        "at": at,
        "fields": changed,
        "announces": isinstance(change, catalogue.Upsert),
    }


def order_row(order: Order, unread: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the order as `storage.fraud.orders` takes it: `at` in unix seconds, and in one form as `message`.

    `unread` says which fields the order came with and is taken without; those of an unreadable form are added to it.
    """
    message = msgspec.to_builtins(msgspec.structs.replace(order, at=order.at.astimezone(UTC)))
    if order.items:
        # As JSON gives it back: an order that comes again is compared with what was written.
        message["items"] = list(message["items"])
    return {"order_id": order.order_id, "at": int(order.at.timestamp()), "message": keys.unified(message, unread)}


def label_row(label: Label) -> dict[str, Any]:
    """Return the label as a row for `storage.fraud.order_labels`."""
    return {"label_id": label.label_id, "order_id": label.order_id, "kind": label.kind, "at": label.at.astimezone(UTC)}


def _composed(name: str, value: Any) -> Any:
    """Return what items are chosen by in one form (NFC), and any other field as it is."""
    if name not in _COMPARED or value is None:
        return value
    if isinstance(value, str):
        return fields.composed(value)
    if isinstance(value, tuple):
        return tuple(map(fields.composed, value))
    return {fields.composed(key): fields.composed(one) for key, one in value.items()}
