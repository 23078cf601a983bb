"""The item that all models share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One product. `price` is in the shop's own currency; `available=False` keeps it out of every answer."""

    item_id: str
    title: str
    text: str = ""
    category: str | None = None
    brand: str | None = None
    price: float | None = None
    attributes: tuple[str, ...] = ()
    available: bool = True
