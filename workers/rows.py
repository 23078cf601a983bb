"""Messages to the plain rows that `storage` writes: times in UTC, shoppers resolved, only what was given."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec

from reshelf import catalogue
from reshelf.events import Event
from reshelf.orders import Label, Order

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
_ENVELOPE = ("change_id", "item_id", "at", "version")


def event_row(event: Event) -> dict[str, Any]:
    """Return the event as a row for `storage.events.intake.write_events`."""
    row: dict[str, Any] = {name: getattr(event, name) for name in _COLUMNS}
    return row | {"shopper": event.shopper, "at": event.at.astimezone(UTC)}


def change_row(change: catalogue.Change) -> dict[str, Any]:
    """Return the change as a row for `storage.events.intake.write_changes`."""
    at = change.at.astimezone(UTC)
    given = {name: getattr(change, name) for name in change.__struct_fields__ if name not in _ENVELOPE}
    fields = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    if (stock := fields.get("stock")) is not None and stock < 0:  # oversold
        fields["stock"] = 0
    if isinstance(change, catalogue.Delete):
        fields["deleted_at"] = at
    if isinstance(change, catalogue.Upsert):
        fields["deleted_at"] = None
    return {
        "change_id": change.change_id,
        "item_id": change.item_id,
        "at": at,
        "fields": fields,
        "announces": isinstance(change, catalogue.Upsert),
    }


def order_row(order: Order) -> dict[str, Any]:
    """Return the order as `storage.fraud.orders` takes it: `at` in unix seconds, and in one form as `message`."""
    message = msgspec.to_builtins(msgspec.structs.replace(order, at=order.at.astimezone(UTC)))
    if order.items:
        # As JSON gives it back: an order that comes again is compared with what was written.
        message["items"] = list(message["items"])
    return {"order_id": order.order_id, "at": int(order.at.timestamp()), "message": message}


def label_row(label: Label) -> dict[str, Any]:
    """Return the label as a row for `storage.fraud.order_labels`."""
    return {"label_id": label.label_id, "order_id": label.order_id, "kind": label.kind, "at": label.at.astimezone(UTC)}
