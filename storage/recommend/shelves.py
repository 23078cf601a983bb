"""Shelves as the gateway reads them: a fallback chain of rankings joined with the live catalogue, in one round trip.

These queries run on asyncpg, not on SQLAlchemy, because shoppers wait for them. A deleted or sold-out item disappears
from every shelf with the commit of its change, because each ranked id is joined with its current `items` row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from storage.events.histories import hidden_items
from storage.recommend import rankings

NEWEST = "newest"
"""Not a ranking: the available items by `announced_at`, newest first, read from the catalogue."""
DEPTH = 200
"""Most items of a list, over all its pages."""
FULL = 100
"""A first shelf with fewer available items than this is filled up from the next shelves."""

NAMEABLE = "reason.title IS NOT NULL AND reason.deleted_at IS NULL"
"""Condition on `reason`: an item that the shopper met may be named even while it is sold out."""

_COLUMNS = "i.item_no, i.item_id, i.title, i.price, i.currency, i.image_url, i.category, i.brand"
_UNHIDDEN = "i.item_id NOT IN (SELECT item_id FROM hidden)"
_GIVEN = "unnest($1::text[], $2::text[]) WITH ORDINALITY AS given(surface, owner, place)"
# OFFSET 0 keeps the planner from moving the conditions into the lookup: a plan made while the catalogue is small would
# then use a partial index that has the id last, and read all of it for every item once the catalogue has grown.
_RANKED = f"""
    SELECT s.shelf, s.place, ranked.n AS rank, ranked.score, ranked.because_no, ranked.because_kind, {_COLUMNS}
    FROM shelves AS s, unnest(s.item_nos, s.scores, s.because_nos, s.because_kinds) WITH ORDINALITY
            AS ranked(item_no, score, because_no, because_kind, n),
        LATERAL (SELECT * FROM items WHERE items.item_no = ranked.item_no OFFSET 0) AS i
    WHERE i.available AND ($5::text IS NULL OR i.category = $5) AND i.item_id <> ALL($6::text[])
        AND (s.surface = '{rankings.HOME}' OR {_UNHIDDEN})
"""
# Two branches, so that each can use its own index whatever the parameter is.
_LIVE = " UNION ALL ".join(
    f"""(
    SELECT NULL::bigint, NULL::bigint, row_number() OVER (ORDER BY i.announced_at DESC, i.item_id), NULL::real,
        NULL::integer, NULL::text, {_COLUMNS}
    FROM items AS i WHERE i.available AND {wanted} AND i.item_id <> ALL($6::text[]) AND {_UNHIDDEN}
        AND (SELECT count(*) FROM lead) < {FULL}
    ORDER BY i.announced_at DESC, i.item_id LIMIT {DEPTH})"""
    for wanted in ("$5::text IS NULL", "i.category = $5")
)

# `lead` is the first shelf that exists; the others are read only if it is short.
_READ = f"""
WITH chain AS (
    SELECT surface, owner, place, 0 AS part FROM {_GIVEN} WHERE owner IS NOT NULL
    UNION ALL
    SELECT given.surface, name || '=' || value, place,
        row_number() OVER (ORDER BY array_position(ARRAY['segment', 'country', 'referrer'], name), name, at DESC)
    FROM {_GIVEN}, shopper_traits
    WHERE given.owner IS NULL AND given.surface = '{rankings.SEGMENT}' AND shopper = ANY($3::text[])
    UNION ALL
    SELECT given.surface, 'category=' || items.category, place, 0
    FROM {_GIVEN}, items
    WHERE given.owner IS NULL AND given.surface = '{rankings.POPULAR}' AND items.item_id = $7
), shelves AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY place, part) AS shelf, place, surface, item_nos, scores,
        because_nos, because_kinds, model_version, generated_at, through
    FROM chain JOIN rankings USING (owner, surface)
), hidden AS MATERIALIZED (
    {hidden_items("shopper = ANY($3)", "$4::text[]")}
), lead AS MATERIALIZED (
    {_RANKED} AND s.shelf = 1
), rest AS (
    SELECT DISTINCT ON (item_no) * FROM (
        {_RANKED} AND s.shelf > 1 AND (SELECT count(*) FROM lead) < {FULL}
        UNION ALL {_LIVE}
    ) AS further WHERE item_no NOT IN (SELECT item_no FROM lead) ORDER BY item_no, shelf, rank
), listed AS (
    SELECT *, row_number() OVER (ORDER BY shelf, rank) AS n FROM (TABLE lead UNION ALL TABLE rest) AS every
    ORDER BY shelf, rank LIMIT {DEPTH}
), explained AS (
    SELECT listed.*, reason.item_no AS named_no, reason.item_id AS because_id, reason.title AS because_title
    FROM listed LEFT JOIN items AS reason ON reason.item_no = listed.because_no AND {NAMEABLE}
), packed AS (
    SELECT (array_agg(shelf ORDER BY n))[1] AS shelf,
        array_agg(item_no ORDER BY n) AS item_nos,
        array_agg(score ORDER BY n) AS scores,
        array_agg(place ORDER BY n) AS places,
        array_agg(named_no ORDER BY n) AS because_nos,
        array_agg(because_kind ORDER BY n) AS because_kinds,
        array_agg(item_id ORDER BY n) FILTER (WHERE n <= $8) AS item_ids,
        array_agg(title ORDER BY n) FILTER (WHERE n <= $8) AS titles,
        array_agg(price ORDER BY n) FILTER (WHERE n <= $8) AS prices,
        array_agg(currency ORDER BY n) FILTER (WHERE n <= $8) AS currencies,
        array_agg(image_url ORDER BY n) FILTER (WHERE n <= $8) AS image_urls,
        array_agg(category ORDER BY n) FILTER (WHERE n <= $8) AS categories,
        array_agg(brand ORDER BY n) FILTER (WHERE n <= $8) AS brands,
        array_agg(because_id ORDER BY n) FILTER (WHERE n <= $8) AS because_ids,
        array_agg(because_title ORDER BY n) FILTER (WHERE n <= $8) AS because_titles
    FROM explained
)
SELECT packed.*, s.model_version, coalesce(s.generated_at, now()) AS generated_at, s.through
FROM packed LEFT JOIN shelves AS s USING (shelf)
"""

_PAGE = f"""
SELECT wanted.n, {_COLUMNS.removeprefix("i.item_no, ")}, reason.item_id, reason.title
FROM unnest($1::bigint[], $5::bigint[]) WITH ORDINALITY AS wanted(item_no, because_no, n)
    JOIN items AS i ON i.item_no = wanted.item_no
    LEFT JOIN items AS reason ON reason.item_no = wanted.because_no AND {NAMEABLE}
WHERE i.available AND i.category = ALL($2::text[]) AND i.item_id <> ALL($3::text[])
ORDER BY wanted.n LIMIT $4
"""


class Database(Protocol):
    """A connection or a pool of asyncpg, which ships no types."""

    async def fetch(self, query: str, *arguments: Any) -> Sequence[Any]:
        """Return the rows."""

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """Return the first row."""


@dataclass(frozen=True)
class Step:
    """One shelf of a fallback chain, and the name of this source in the answer.

    An `owner` of None stands for what only the database knows: for `segment`, the stored traits of the shoppers; for
    `popular`, the category of the query's `anchor`; for `NEWEST`, there is no owner.
    """

    source: str
    surface: str
    owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class Query:
    """A list to read.

    `anchor` is the item that the list is about; `hidden_kinds` are the event kinds that hide an item on every shelf but
    `home`, for the `shoppers` with such events.
    """

    chain: Sequence[Step]
    shoppers: Sequence[str] = ()
    hidden_kinds: Sequence[str] = ()
    category: str | None = None
    exclude: Sequence[str] = ()
    anchor: str | None = None
    limit: int = 20


class Reason(NamedTuple):
    """The event of a shopper's history that moved an item most: its kind, and the number of its item."""

    kind: str
    item_no: int


class Product(NamedTuple):
    """What an answer shows of an available item; `price` is in `currency`.

    `because_id` and `because_title` are those of the item that its reason names, None if it has no reason.
    """

    item_id: str
    title: str
    price: float | None
    currency: str | None
    image_url: str | None
    category: str | None
    brand: str | None
    because_id: str | None
    because_title: str | None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Up to `DEPTH` items, best first; the first `limit` of them come with their `products`.

    `model_version`, `generated_at` and `through` are those of the first item's shelf; items read from the catalogue
    have no version.
    """

    products: list[Product]
    item_nos: list[int]
    scores: list[float | None]
    sources: list[str]
    reasons: list[Reason | None]
    model_version: str | None
    generated_at: datetime
    through: datetime | None


async def read(database: Database, query: Query) -> Listing:
    """Return the list of the first shelf of the chain, filled up from the next ones if it is short.

    Raises asyncpg's errors.
    """
    ranked = [step for step in query.chain if step.surface != NEWEST]
    row = await database.fetchrow(
        _READ,
        [step.surface for step in ranked],
        [step.owner for step in ranked],
        query.shoppers,
        query.hidden_kinds,
        query.category,
        query.exclude,
        query.anchor,
        query.limit,
    )
    return _listing(row, [step.source for step in ranked])


async def page(
    database: Database,
    item_nos: Sequence[int],
    reasons: Sequence[Reason | None],
    *,
    categories: Sequence[str],
    exclude: Sequence[str],
    limit: int,
) -> list[tuple[int, Product]]:
    """Return the first `limit` of the items that are available, in all `categories`, and not excluded.

    `reasons` are those of `item_nos`, position by position. Each item comes with its position. Raises asyncpg's errors.
    """
    because_nos = [None if reason is None else reason.item_no for reason in reasons]
    rows = await database.fetch(_PAGE, item_nos, categories, exclude, limit, because_nos)
    return [(row[0] - 1, Product._make(row[1:])) for row in map(tuple, rows)]


def products(row: Any) -> list[Product]:
    """Return the products of a row that has one array per column."""
    columns: Iterable[Any] = (row[name] or () for name in _PRODUCT_ARRAYS)
    return [Product._make(values) for values in zip(*columns, strict=True)]


def _listing(row: Any, sources: Sequence[str]) -> Listing:
    return Listing(
        products=products(row),
        item_nos=row["item_nos"] or [],
        scores=row["scores"] or [],
        sources=[NEWEST if place is None else sources[place - 1] for place in row["places"] or ()],
        reasons=[
            None if item_no is None else Reason(kind, item_no)
            for kind, item_no in zip(row["because_kinds"] or (), row["because_nos"] or (), strict=True)
        ],
        model_version=row["model_version"],
        generated_at=row["generated_at"],
        through=row["through"],
    )


_PRODUCT_ARRAYS = (
    *("item_ids", "titles", "prices", "currencies", "image_urls", "categories", "brands"),
    *("because_ids", "because_titles"),
)
