"""Rows of the catalogue as items of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row

from model.catalogue import Item


def to_item(row: Row[Any]) -> Item:
    """Return a catalogue row as an item of the model."""
    return Item(
        item_id=row.item_id,
        title=words_of(row.title, row.item_id),
        text=row.text,
        category=row.category,
        brand=row.brand,
        price=row.price,
        attributes=attribute_labels(row.attributes, row.tags),
        available=row.available,
    )


def words_of(title: str | None, item_id: str) -> str:
    """Return a title, empty where it is the id: an item that has no other name says nothing by it."""
    return "" if title is None or title == item_id else title


def attribute_labels(attributes: Mapping[str, str], tags: Iterable[str]) -> tuple[str, ...]:
    """Return an item's attributes and tags as the labels that the model uses."""
    return (*(f"{name}={value}" for name, value in sorted(attributes.items())), *tags)
