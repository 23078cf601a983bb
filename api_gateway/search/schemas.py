"""The answers of a search."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from api_gateway.lists import cursor
from api_gateway.lists.cursor import Rest
from storage.search.lookup import Found, Product

_Example = msgspec.Meta

OLDER, PUBLIC, LEXICAL = "older", "public", "lexical"
"""The fallback for a late worker: its earlier answer, the answer without personalisation, or a lexical one."""
NONE = "none"


class Held(msgspec.Struct, frozen=True, gc=False):
    """A part of the query that an item contains."""

    typed: Annotated[str, _Example(examples=["lightbulb"])]
    terms: Annotated[list[str], _Example(description="The terms of the item that stand for it.")]
    as_: Annotated[str, _Example(description="exact, spelling, joined, split, synonym, variant or partly.")] = (
        msgspec.field(name="as")
    )
    share: Annotated[float, _Example(description="Of the weight of the whole query, 0 to 1.")]


class Why(msgspec.Struct, frozen=True, gc=False):
    """Why an item is a hit."""

    held: list[Held]
    lacking: Annotated[list[str], _Example(description="Words of the query that the item does not contain.")]
    signals: Annotated[dict[str, float], _Example(description="The ranker's features; zeros are left out.")]


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One item that was found, with its current fields from the catalogue."""

    item_id: Annotated[str, _Example(examples=["4711"])]
    score: Annotated[
        float | None, _Example(description="Higher is better, within one answer; null if sorted by something else.")
    ]
    title: str
    price: Annotated[float | None, _Example(description="In `currency`.")]
    currency: Annotated[str | None, _Example(description="ISO 4217.", examples=["EUR"])]
    image_url: str | None
    category: str | None
    brand: str | None
    available: Annotated[bool, _Example(description="False only if `in_stock=false` was asked for.")]
    why: Annotated[Why | None, _Example(description="For the first items of page one, with `explain=true`.")]


class Hits(msgspec.Struct, frozen=True):
    """A page of what a search found, best first."""

    request_id: Annotated[
        str, _Example(description="New for every answer; send it with the events that follow from it.")
    ]
    query: Annotated[str, _Example(description="The normalised query.", examples=["ceiling fan"])]
    source: Annotated[
        str,
        _Example(
            description="`matched`; `lexical`: from PostgreSQL only; if nothing matches, `alike`: the nearest in "
            "meaning, or `popular`; `none` for an empty page.",
            examples=["matched"],
        ),
    ]
    fallback: Annotated[
        str | None,
        _Example(
            description="What serves if the worker did not answer in time: `older`, an earlier answer of it; "
            "`public`, the answer without personalisation; `lexical`, PostgreSQL's. Else null."
        ),
    ]
    reason: Annotated[str | None, _Example(description="Why these are no matches, or why there are none.")]
    meant: Annotated[str | None, _Example(description="What was probably meant, if a word is misspelt.")]
    personal: Annotated[bool, _Example(description="Whether this shopper's taste was used to rank.")]
    total: Annotated[int | None, _Example(description="Items that match and pass the filters; null on later pages.")]
    facets: Annotated[
        dict[str, dict[str, int]] | None,
        _Example(description="Matches by category and brand, the most first; null on later pages and from PostgreSQL."),
    ]
    model_version: Annotated[str | None, _Example(description="The model that ranked; null: only words.")]
    generated_at: Annotated[datetime, _Example(description="When the answer was computed, UTC.")]
    items: list[Hit]
    next_cursor: Annotated[str | None, _Example(description="Send as `cursor`, with the same search, for more.")]


class Suggested(msgspec.Struct, frozen=True):
    """Phrases that begin with what was typed."""

    query: Annotated[str, _Example(description="The normalised text.")]
    suggestions: Annotated[list[str], _Example(description="The best first.", examples=[["ceiling fan"]])]


def first_page(found: Found, query: str, of: str, fallback: str | None) -> Hits:
    """Return page one; `of` names the list that its cursor belongs to."""
    reasons = [] if found.why is None else msgspec.json.decode(found.why, type=list[Why])
    rest = Rest(
        item_nos=found.item_nos,
        scores=found.scores,
        sources=[found.source] * len(found.item_nos),
        reasons=[None] * len(found.item_nos),
        model_version=found.model_version,
        generated_at=found.generated_at or datetime.now(UTC),
        through=None,
    )
    used = found.products[-1][0] + 1 if found.products else len(found.item_nos)
    return Hits(
        request_id=str(uuid.uuid4()),
        query=query,
        source=found.source if found.products else NONE,
        fallback=fallback,
        reason=_reason(found, query),
        meant=found.meant,
        personal=found.personal,
        total=found.total,
        facets=None if found.facets is None else msgspec.json.decode(found.facets),
        model_version=found.model_version,
        generated_at=rest.generated_at,
        items=[
            _hit(product, found.scores[place], reasons[place] if place < len(reasons) else None)
            for place, product in found.products
        ],
        next_cursor=cursor.pack(rest.after(used), of),
    )


def later_page(rest: Rest, found: list[tuple[int, Product]], limit: int, query: str, of: str) -> Hits:
    """Return a later page: the items `found` in the rest of a list, and the cursor of what follows them."""
    used = found[-1][0] + 1 if len(found) == limit else len(rest.item_nos)
    return Hits(
        request_id=str(uuid.uuid4()),
        query=query,
        source=rest.sources[0] if found else NONE,
        fallback=None,
        reason=None if found else "the list has ended: its last items are no longer available",
        meant=None,
        personal=False,
        total=None,
        facets=None,
        model_version=rest.model_version,
        generated_at=rest.generated_at,
        items=[_hit(product, rest.scores[place], None) for place, product in found],
        next_cursor=cursor.pack(rest.after(used), of),
    )


def _hit(product: Product, score: float | None, why: Why | None) -> Hit:
    return Hit(
        product.item_id,
        # A 32-bit float holds six digits; the others would only be noise.
        None if score is None else float(f"{score:.6g}"),
        product.title,
        product.price,
        product.currency,
        product.image_url,
        product.category,
        product.brand,
        product.available,
        why,
    )


def _reason(found: Found, query: str) -> str | None:
    if not found.products:
        return "no item is left by the filters (category, brand, price_from, price_to, in_stock)"
    if found.source == "alike":
        return f"nothing matches {query!r}: these are the nearest in meaning"
    if found.source == "popular":
        return f"nothing matches {query!r}: these are popular"
    return None
