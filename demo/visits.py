"""One customer's visit: turns what happens in it into events."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.catalogue import Item
from demo.customers import Customer


@dataclass
class Visit:
    """A visit. Its id is the session of its events, and the prefix of their ids."""

    customer: Customer
    visit_id: str
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def event(
        self,
        kind: str,
        item: Item,
        at: datetime,
        *,
        surface: str | None = None,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """Return the fields of an event of this visit; a purchase has its amount."""
        number = next(self._numbers)
        fields = self._fields(number, kind, at) | {"item_id": item.item_id}
        given: dict[str, Any] = {
            "surface": surface,
            "request_id": request_id,
            "value": item.price if kind == "purchase" else None,
        }
        if number == 0 and self.customer.country:
            given["context"] = {"country": self.customer.country}
        return fields | {name: value for name, value in given.items() if value is not None}

    def search(self, query: str, at: datetime, *, request_id: str | None) -> dict[str, Any]:
        """Return the fields of the event of a search."""
        return self._fields(next(self._numbers), "search", at) | {"query": query, "request_id": request_id}

    def _fields(self, number: int, kind: str, at: datetime) -> dict[str, Any]:
        return {
            "event_id": f"{self.visit_id}-{number}",
            "kind": kind,
            "at": at,
            "user_id": self.customer.customer_id,
            "session_id": self.visit_id,
        }
