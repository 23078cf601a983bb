"""Catalogue changes: what happened to an item. The shop's database stays the master; these messages keep a copy fresh.

Each change carries the fields that it sets and the time at which the shop set them. Changes may come late, twice or out
of order: for every field the newest `at` wins, whatever the order of arrival.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from reshelf import currencies, fields
from reshelf.fields import Id, Time

VERSION = 1

_IDS = ("change_id", "item_id")

Label = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Money = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Currency = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Stock = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Attributes = dict[Label, str]
Link = Annotated[str, msgspec.Meta(max_length=2000, extra_json_schema={"pattern": r"^([hH][tT][tT][pP][sS]?://.*)?$"})]
Tags = Annotated[tuple[Label, ...], msgspec.Meta(max_length=64)]


class _Change(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
):
    change_id: Id
    item_id: Id
    at: Time
    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION)] = VERSION

    def __post_init__(self) -> None:
        fields.unify(self, _IDS)


class Upsert(_Change, tag="upsert", frozen=True, kw_only=True):
    """Create an item, or set every field that is given. An item that was deleted earlier comes back."""

    title: Title
    text: Annotated[str, msgspec.Meta(max_length=100_000)] | msgspec.UnsetType = msgspec.UNSET
    category: Label | None | msgspec.UnsetType = msgspec.UNSET
    brand: Label | None | msgspec.UnsetType = msgspec.UNSET
    price: Money | None | msgspec.UnsetType = msgspec.UNSET
    currency: Currency | None | msgspec.UnsetType = msgspec.UNSET
    stock: Stock | None | msgspec.UnsetType = msgspec.UNSET
    """Pieces on hand; null means that the shop does not count this item and it is always to be had. Below 0 the item
    is oversold, which is sold out."""
    attributes: Attributes | msgspec.UnsetType = msgspec.UNSET
    tags: Tags | msgspec.UnsetType = msgspec.UNSET
    image_url: Link | None | msgspec.UnsetType = msgspec.UNSET
    """An address of http or https; an empty text is none."""
    cost: Money | None | msgspec.UnsetType = msgspec.UNSET
    """What one piece costs the shop, in `currency`. It bounds the price, and no shopper is shown it."""
    competitor_price: Money | None | msgspec.UnsetType = msgspec.UNSET
    promotion: bool | None | msgspec.UnsetType = msgspec.UNSET
    """Whether the price is that of a promotion: then nothing changes it but the shop."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _unify_currency(self)
        _check_image(self)


class SetPrice(_Change, tag="price", frozen=True, kw_only=True):
    """A new price."""

    price: Money
    currency: Currency | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        _unify_currency(self)


class SetStock(_Change, tag="stock", frozen=True, kw_only=True):
    """Pieces on hand: 0 or less takes the item off every shelf at once, null stops counting."""

    stock: Stock | None


class SetFacts(_Change, tag="facts", frozen=True, kw_only=True):
    """What a price depends on, and no shopper is shown. What is left out stays, null takes it away."""

    cost: Money | None | msgspec.UnsetType = msgspec.UNSET
    competitor_price: Money | None | msgspec.UnsetType = msgspec.UNSET
    promotion: bool | None | msgspec.UnsetType = msgspec.UNSET


class Delete(_Change, tag="delete", frozen=True, kw_only=True):
    """The item is deleted: it leaves every shelf at once. Its events stay."""


class SetAttributes(_Change, tag="attributes", frozen=True, kw_only=True):
    """Replaces the item's attributes."""

    attributes: Attributes


class SetTags(_Change, tag="tags", frozen=True, kw_only=True):
    """Replaces the item's tags."""

    tags: Tags


class SetImage(_Change, tag="image", frozen=True, kw_only=True):
    """A new image, or null to remove it."""

    image_url: Link | None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_image(self)


Change = Upsert | SetPrice | SetStock | SetFacts | Delete | SetAttributes | SetTags | SetImage


def _unify_currency(change: Upsert | SetPrice) -> None:
    """Bring the currency into the code of ISO 4217. Raises `ValueError`, naming the field."""
    given = change.currency
    if isinstance(given, str) and given not in currencies.CODES:
        try:
            msgspec.structs.force_setattr(change, "currency", currencies.canonical(given))
        except currencies.Unreadable as error:
            raise ValueError(f"{error} - at `$.currency`") from error


def _check_image(change: Upsert | SetImage) -> None:
    """Take an empty address for none. Raises `ValueError`, naming the field, for what a page could run, not show."""
    given = change.image_url
    if not isinstance(given, str):
        return
    if not given.strip():
        msgspec.structs.force_setattr(change, "image_url", None)
    elif not given.lower().startswith(("http://", "https://")):
        raise ValueError("Expected an address that begins with http:// or https:// - at `$.image_url`")
