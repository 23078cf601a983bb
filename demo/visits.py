"""One customer's visit: turns what happens in it into events of the contract."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.catalogue import Item
from demo.customers import Customer


@dataclass
class Visit:
    """A visit. Its id is the session of its events, and the stem of their ids."""

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
        """Return the fields of an event of this visit; a purchase carries its money."""
        number = next(self._numbers)
        fields: dict[str, Any] = {
            "event_id": f"{self.visit_id}-{number}",
            "kind": kind,
            "at": at,
            "user_id": self.customer.customer_id,
            "session_id": self.visit_id,
            "item_id": item.item_id,
        }
        given: dict[str, Any] = {
            "surface": surface,
            "request_id": request_id,
            "value": item.price if kind == "purchase" else None,
        }
        if number == 0 and self.customer.country:
            given["context"] = {"country": self.customer.country}
        return fields | {name: value for name, value in given.items() if value is not None}
