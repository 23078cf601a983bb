"""The answers of the shelves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec

from api_gateway.experiment.service import Placed
from api_gateway.lists import cursor, fallback
from api_gateway.lists.cursor import Rest
from storage.recommend.shelves import Listing, Product, Reason

_Example = msgspec.Meta


class Because(msgspec.Struct, frozen=True, gc=False):
    """The event of the shopper that moved an item most."""

    item_id: Annotated[str, _Example(examples=["0815"])]
    title: Annotated[str, _Example(description="The current title.")]
    kind: Annotated[str, _Example(description="The kind of the event.", examples=["view", "purchase"])]


class Item(msgspec.Struct, frozen=True, gc=False):
    """One ranked item, with its current fields from the catalogue."""

    item_id: Annotated[str, _Example(examples=["4711"])]
    score: Annotated[float | None, _Example(description="Higher is better, within one source; null for `newest`.")]
    source: Annotated[str, _Example(description="The shelf that this item is from.", examples=["personal"])]
    title: str
    price: Annotated[float | None, _Example(description="In `currency`.")]
    currency: Annotated[str | None, _Example(description="ISO 4217.", examples=["EUR"])]
    image_url: str | None
    category: str | None
    brand: str | None
    because: Annotated[
        Because | None,
        _Example(description="The event of the shopper's history that moved this item most; null if none did."),
    ]


class Answer(msgspec.Struct, frozen=True):
    """A page of ranked items, best first."""

    request_id: Annotated[
        str, _Example(description="New for every answer; send it with the events that follow from it.")
    ]
    surface: Annotated[str, _Example(examples=["home"])]
    source: Annotated[
        str,
        _Example(
            description="The source of the first item: " + ", ".join(fallback.SHELVES) + "; `none` for an empty list.",
            examples=["personal"],
        ),
    ]
    reason: Annotated[
        str | None, _Example(description="Why the list is empty, or repeats items that should be hidden.")
    ]
    model_version: Annotated[
        str | None, _Example(description="The model of the first page; null for items from the catalogue.")
    ]
    generated_at: Annotated[datetime, _Example(description="When the first page's shelf was computed, UTC.")]
    through: Annotated[datetime | None, _Example(description="Time of the last event that this shelf reflects, UTC.")]
    experiment: Annotated[str | None, _Example(description="The running experiment, on `home`; null if there is none.")]
    arm: Annotated[str | None, _Example(description="The arm that this shopper is in; null without an experiment.")]
    items: list[Item]
    next_cursor: Annotated[str | None, _Example(description="Send as `cursor` for the next page; null at the end.")]


def first_page(
    listing: Listing, *, surface: str, of: str, category: str | None, reason: str | None, placed: Placed
) -> Answer:
    """Return page one of a list; `of` names the list that its cursor belongs to."""
    rest = Rest(
        item_nos=listing.item_nos,
        scores=listing.scores,
        sources=listing.sources,
        reasons=listing.reasons,
        model_version=listing.model_version,
        generated_at=listing.generated_at,
        through=listing.through,
        category=category,
    )
    found = list(enumerate(listing.products))
    return _answer(rest, found, len(found), surface=surface, of=of, reason=reason, placed=placed)


def later_page(
    rest: Rest, found: list[tuple[int, Product]], limit: int, *, surface: str, of: str, placed: Placed
) -> Answer:
    """Return a later page: the items `found` in the rest of a list, and the cursor of what follows them."""
    used = found[-1][0] + 1 if len(found) == limit else len(rest.item_nos)
    reason = None if found else "the list has ended: its last items are no longer available, or are filtered out"
    return _answer(rest, found, used, surface=surface, of=of, reason=reason, placed=placed)


def _answer(
    rest: Rest,
    found: Iterable[tuple[int, Product]],
    used: int,
    *,
    surface: str,
    of: str,
    reason: str | None,
    placed: Placed,
) -> Answer:
    items = [_item(product, rest.scores[place], rest.sources[place], rest.reasons[place]) for place, product in found]
    return Answer(
        request_id=str(uuid.uuid4()),
        surface=surface,
        source=items[0].source if items else fallback.NONE,
        reason=reason,
        model_version=rest.model_version,
        generated_at=rest.generated_at,
        through=rest.through,
        experiment=placed.experiment,
        arm=placed.arm,
        items=items,
        next_cursor=cursor.pack(rest.after(used), of),
    )


def _item(product: Product, score: float | None, source: str, reason: Reason | None) -> Item:
    return Item(
        product.item_id,
        # A 32-bit float holds six digits; the others would only be noise.
        None if score is None else float(f"{score:.6g}"),
        source,
        product.title,
        product.price,
        product.currency,
        product.image_url,
        product.category,
        product.brand,
        _because(product, reason),
    )


def _because(product: Product, reason: Reason | None) -> Because | None:
    if reason is None or product.because_id is None or product.because_title is None:
        return None
    return Because(product.because_id, product.because_title, reason.kind)
