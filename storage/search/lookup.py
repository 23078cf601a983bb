"""Search as the gateway runs it: kept answers joined with the live catalogue, new queries, and a lexical search.

These queries run on asyncpg, like those of `storage.recommend.shelves`. A deleted or sold-out item disappears from
every answer with the commit of its change, because each hit is joined with its current `items` row, which has to pass
the filters, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from storage import due
from storage.recommend.shelves import Database
from storage.search import queries
from storage.search.answers import DEPTH
from storage.search.queries import Question

MATCHED, ALIKE, POPULAR = "matched", "alike", "popular"
"""The source of hits: items that contain a query term; if there are none, those nearest in meaning, or popular ones."""
LEXICAL = "lexical"
"""The source of hits from Postgres, used when the search worker does not answer."""

STALE_SECONDS = 1.0
"""For how many seconds after a change an answer is still served that does not reflect it, while it is renewed."""
_PUBLIC_SECONDS = 3600.0
_PERSONAL_SECONDS = 60.0
# How many more hits than asked for are looked up at once, in place of those that are no longer available; if that is
# not enough, the whole list is read.
_REACH = 10
# Most candidates of a lexical search, for all words and for any of them; further matches are not considered.
_MOST_CANDIDATES = 1_000
_MOST_PARTIAL = 300


class Product(NamedTuple):
    """What an answer shows of an item; `price` is in `currency`."""

    item_id: str
    title: str
    price: float | None
    currency: str | None
    image_url: str | None
    category: str | None
    brand: str | None
    available: bool


_QUIET = ", ".join(f"'{kind}'" for kind in due.QUIET_KINDS)

# The filters: $4 to $8 are categories, brands, both ends of the price range, and whether the item has to be in stock.
_PASSES = """
    i.title IS NOT NULL AND i.deleted_at IS NULL AND (i.available OR NOT $8::boolean)
    AND ($4::text[] IS NULL OR i.category = ANY($4)) AND ($5::text[] IS NULL OR i.brand = ANY($5))
    AND ($6::float8 IS NULL OR i.price >= $6) AND ($7::float8 IS NULL OR i.price <= $7)
"""
_COLUMNS = ", ".join(f"i.{name}" for name in Product._fields)
_LISTED = ("n", *Product._fields)
_PACKED = ",\n        ".join(f"array_agg({name} ORDER BY n) AS listed_{name}" for name in _LISTED)

# For OFFSET 0 see `storage.recommend.shelves`.
_LIVE = f"""
    SELECT hit.n, {_COLUMNS}
    FROM {{hits}} WITH ORDINALITY AS hit(item_no, n),
        LATERAL (SELECT * FROM items WHERE items.item_no = hit.item_no OFFSET 0) AS i
    WHERE {_PASSES} ORDER BY hit.n LIMIT $2
"""

_FRESH = f"""
    (stale_since IS NULL OR stale_since > now() - {STALE_SECONDS} * interval '1 second')
    AND generated_at > now() - CASE WHEN shopper IS NULL THEN {_PUBLIC_SECONDS} ELSE {_PERSONAL_SECONDS} END
        * interval '1 second'
    AND (NOT personal OR NOT EXISTS (
        SELECT FROM events AS e WHERE e.shopper = search_answers.shopper AND kind NOT IN ({_QUIET})
            AND e.at > coalesce(search_answers.through, '-infinity')))
"""

_READ = f"""
WITH answer AS MATERIALIZED (
    SELECT item_nos, scores, total, facets, meant, source, why, model_version, generated_at, personal,
        {_FRESH} AS fresh
    FROM search_answers WHERE key = $1 AND item_nos IS NOT NULL
), listed AS (
    {_LIVE.format(hits="answer, unnest(answer.item_nos[1:$3])")}
), packed AS (
    SELECT {_PACKED} FROM listed
)
SELECT answer.*, packed.* FROM answer, packed
"""

_PAGE = f"WITH listed AS ({_LIVE.format(hits='unnest($1::bigint[])')}) SELECT {_PACKED} FROM listed WHERE $3 > 0"

# A query that was asked less than a second ago is being answered already. The answer's row is locked before the due
# row, in the same order as by the worker.
_ASK = f"""
WITH asked AS (
    INSERT INTO search_answers AS a (key, question, shopper) VALUES ($1, CAST($2 AS jsonb), $3)
    ON CONFLICT (key) DO UPDATE SET asked_at = now(), times = a.times + 1
    RETURNING key
)
INSERT INTO due AS d (kind, key) SELECT '{due.QUERY}', key FROM asked
ON CONFLICT (kind, key) DO UPDATE SET mark = nextval('due_marks'), claimed_until = NULL, later = false, since = now()
WHERE d.later OR d.since < now() - interval '1 second'
"""

# Rows that are being written right now are skipped: a count is not worth waiting for.
_COUNT = """
UPDATE search_answers AS a SET times = a.times + given.times, asked_at = now()
FROM unnest($1::text[], $2::bigint[]) AS given(key, times)
    CROSS JOIN LATERAL (SELECT key FROM search_answers AS s WHERE s.key = given.key FOR UPDATE SKIP LOCKED) AS free
WHERE a.key = free.key
"""

_POPULAR = "(SELECT item_nos, scores FROM rankings WHERE owner = '' AND surface = 'popular')"
_ORDERS = {
    "relevance": "score DESC",
    "price": "price NULLS LAST",
    "-price": "price DESC NULLS LAST",
    "newest": "announced_at DESC NULLS LAST",
    "popular": "popularity DESC, score DESC",
}

# The item whose id was typed comes first, in whatever case and with whatever dashes.
_KEY = r"regexp_replace(folded({0}), '[^\w]|_', '', 'g')"
_NAMED = f"CASE WHEN {_KEY.format('i.item_id')} = {_KEY.format('$1')} THEN 100 ELSE 0 END"

# All words that any item holds, or else one of them, or else what is popular, and then what is new.
_KNOWN_WORDS = """
    SELECT part FROM query_words($1, {pieces}) AS part WHERE EXISTS (SELECT FROM items WHERE items.words @@ part)
"""
_SCORED = "i.item_no, i.item_id, i.price, i.announced_at"
_LEXICAL = f"""
WITH every AS MATERIALIZED (
    SELECT CAST(string_agg('(' || CAST(part AS text) || ')', ' & ') AS tsquery) AS words
    FROM ({_KNOWN_WORDS.format(pieces="false")}) AS known
), popular AS MATERIALIZED (
    SELECT shelf.item_no, shelf.score / max(shelf.score) OVER () AS popularity
    FROM {_POPULAR} AS s, unnest(s.item_nos, s.scores) AS shelf(item_no, score)
), found AS MATERIALIZED (
    SELECT {_SCORED}, ts_rank_cd(i.words, every.words) + {_NAMED} AS rank FROM every, items AS i
    WHERE i.words @@ every.words AND {_PASSES} LIMIT {_MOST_CANDIDATES}
), one AS MATERIALIZED (
    SELECT CAST(string_agg('(' || CAST(part AS text) || ')', ' | ') AS tsquery) AS words
    FROM ({_KNOWN_WORDS.format(pieces="true")}) AS known WHERE NOT EXISTS (SELECT FROM found)
), matched AS MATERIALIZED (
    SELECT * FROM found UNION ALL (
        SELECT {_SCORED}, ts_rank_cd(i.words, one.words) FROM one, items AS i
        WHERE i.words @@ one.words AND {_PASSES} LIMIT {_MOST_PARTIAL})
), fallback AS MATERIALIZED (
    SELECT {_SCORED}, 0.0 AS rank
    FROM popular, LATERAL (SELECT * FROM items WHERE items.item_no = popular.item_no OFFSET 0) AS i
    WHERE NOT EXISTS (SELECT FROM matched) AND {_PASSES}
), new AS (
    SELECT {_SCORED}, 0.0 AS rank FROM items AS i
    WHERE NOT EXISTS (SELECT FROM matched) AND NOT EXISTS (SELECT FROM fallback) AND i.available AND {_PASSES}
    ORDER BY i.announced_at DESC, i.item_id LIMIT $2
), scored AS (
    SELECT i.*, rank * (1 + coalesce(popularity, 0)) AS score, coalesce(popularity, 0) AS popularity FROM (
        SELECT * FROM matched UNION ALL SELECT * FROM fallback UNION ALL SELECT * FROM new
    ) AS i LEFT JOIN popular USING (item_no)
), placed AS MATERIALIZED (
    SELECT item_no, score, row_number() OVER (ORDER BY {{order}}, item_id) AS n FROM scored ORDER BY n LIMIT {DEPTH}
), listed AS (
    SELECT placed.n, {_COLUMNS}
    FROM placed, LATERAL (SELECT * FROM items WHERE items.item_no = placed.item_no OFFSET 0) AS i WHERE placed.n <= $2
), packed AS (
    SELECT {_PACKED} FROM listed
)
SELECT packed.*, (SELECT count(*) FROM matched) AS total,
    (SELECT array_agg(item_no ORDER BY n) FROM placed) AS item_nos,
    (SELECT array_agg(CAST(score AS real) ORDER BY n) FROM placed) AS scores
FROM packed WHERE $3 > 0
"""
_LEXICAL_BY = {sort: _LEXICAL.format(order=order) for sort, order in _ORDERS.items()}


@dataclass(frozen=True, kw_only=True)
class Found:
    """Up to `DEPTH` hits, best first, of `total`; the live ones among the first come as `products`, with their places.

    `facets` is JSON, None where nothing was counted, and `why` explains the first hits by their places. `is_fresh` says
    that the answer reflects the catalogue, and the shopper, of now.
    """

    products: list[tuple[int, Product]]
    item_nos: list[int]
    scores: list[float | None]
    total: int
    source: str
    generated_at: datetime | None = None
    facets: str | None = None
    meant: str | None = None
    why: str | None = None
    model_version: str | None = None
    personal: bool = False
    is_fresh: bool = True


async def read(database: Database, question: Question, limit: int) -> Found | None:
    """Return the kept answer with its first `limit` available items, None if there is none.

    Raises asyncpg's errors.
    """
    row = await database.fetchrow(_READ, question.key, limit, limit + _REACH, *_filters(question))
    if row is not None and len(row["listed_n"] or ()) < limit < len(row["item_nos"]):
        row = await database.fetchrow(_READ, question.key, limit, DEPTH, *_filters(question))
    if row is None:
        return None
    return Found(
        products=_products(row),
        item_nos=row["item_nos"],
        scores=row["scores"],
        total=row["total"],
        source=row["source"],
        generated_at=row["generated_at"],
        facets=row["facets"],
        meant=row["meant"],
        why=row["why"],
        model_version=row["model_version"],
        personal=row["personal"],
        is_fresh=row["fresh"],
    )


async def page(
    database: Database, item_nos: Sequence[int], question: Question, limit: int
) -> list[tuple[int, Product]]:
    """Return the first `limit` of the items that pass the query's filters now, each with its position.

    Raises asyncpg's errors.
    """
    return _products(await database.fetchrow(_PAGE, list(item_nos), limit, 1, *_filters(question)))


async def lexical(database: Database, question: Question, limit: int) -> Found:
    """Search in Postgres only: items with all known words, or else with any of them, or else popular items.

    Raises asyncpg's errors.
    """
    row = await database.fetchrow(_LEXICAL_BY[question.sort], question.query, limit, 1, *_filters(question))
    return Found(
        products=_products(row),
        item_nos=row["item_nos"] or [],
        scores=row["scores"] or [],
        total=row["total"],
        source=LEXICAL if row["total"] else POPULAR,
    )


async def ask(database: Any, question: Question) -> None:
    """Store the query, and mark it due. Raises asyncpg's errors."""
    await database.execute(_ASK, question.key, queries.encode(question), question.shopper)


async def count(database: Any, times: Mapping[str, int]) -> None:
    """Add to the counts of how often the answers of these keys were asked for. Raises asyncpg's errors."""
    await database.execute(_COUNT, list(times), list(times.values()))


def _filters(question: Question) -> tuple[Any, ...]:
    return (
        list(question.categories) or None,
        list(question.brands) or None,
        question.price_from,
        question.price_to,
        question.in_stock,
    )


def _products(row: Any) -> list[tuple[int, Product]]:
    places, *columns = (row[f"listed_{name}"] or () for name in _LISTED)
    return [(n - 1, Product._make(values)) for n, values in zip(places, zip(*columns, strict=True), strict=True)]
