"""The fast path of reading a shopper's own shelf: page one of a shelf that is long enough, without filters.

The answer is that of `storage.recommend.shelves` at a sixth of the cost, since only the items of the page are looked
up. The numbers of the later items are in the shelf's row; later pages leave out what is sold out by then.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any, TypeVar

from storage.recommend import rankings, shelves
from storage.recommend.shelves import Database, Listing, Query, Reason, Step

T = TypeVar("T")

# If more of the first items than these are sold out, `storage.recommend.shelves` reads the page instead.
_SPARE = 20

_READ = f"""
WITH own AS MATERIALIZED (
    SELECT place, item_nos, scores, because_nos, because_kinds, model_version, generated_at, through
    FROM unnest($1::text[]) WITH ORDINALITY AS given(owner, place) JOIN rankings USING (owner)
    WHERE surface = '{rankings.HOME}' ORDER BY place LIMIT 1
)
SELECT own.*, shown.*
FROM own, LATERAL (
    SELECT array_agg(n ORDER BY n) AS ranks, array_agg(item_id ORDER BY n) AS item_ids,
        array_agg(title ORDER BY n) AS titles, array_agg(price ORDER BY n) AS prices,
        array_agg(currency ORDER BY n) AS currencies, array_agg(image_url ORDER BY n) AS image_urls,
        array_agg(category ORDER BY n) AS categories, array_agg(brand ORDER BY n) AS brands,
        array_agg(because_id ORDER BY n) AS because_ids, array_agg(because_title ORDER BY n) AS because_titles
    FROM (
        SELECT n, i.item_id, i.title, i.price, i.currency, i.image_url, i.category, i.brand,
            reason.item_id AS because_id, reason.title AS because_title
        FROM unnest(own.item_nos[:$2 + {_SPARE}], own.because_nos[:$2 + {_SPARE}]) WITH ORDINALITY
                AS ranked(item_no, because_no, n)
            JOIN items AS i ON i.item_no = ranked.item_no
            LEFT JOIN items AS reason ON reason.item_no = ranked.because_no AND {shelves.NAMEABLE}
        WHERE i.available ORDER BY n LIMIT $2
    ) AS best
) AS shown
WHERE cardinality(own.item_nos) >= {shelves.FULL} AND cardinality(shown.ranks) = $2
"""


async def read(database: Database, query: Query) -> Listing | None:
    """Return page one of the chain's first shelf if that is a shopper's own and long enough, else None.

    None, too, if the query filters. Raises asyncpg's errors.
    """
    own = list(takewhile(_is_own, query.chain))
    if not own or query.category is not None or query.exclude:
        return None
    row = await database.fetchrow(_READ, [step.owner for step in own], query.limit)
    return None if row is None else _listing(row, own[row["place"] - 1].source)


def _is_own(step: Step) -> bool:
    return step.surface == rankings.HOME and step.owner is not None


def _listing(row: Any, source: str) -> Listing:
    ranks = row["ranks"]

    def left(values: list[T]) -> list[T]:
        """Keep the values of the page's items, and those of all items after them."""
        return [values[rank - 1] for rank in ranks] + values[ranks[-1] :]

    item_nos = left(row["item_nos"])
    return Listing(
        products=shelves.products(row),
        item_nos=item_nos,
        scores=left(row["scores"]),
        sources=[source] * len(item_nos),
        reasons=left(_reasons(row)),
        model_version=row["model_version"],
        generated_at=row["generated_at"],
        through=row["through"],
    )


def _reasons(row: Any) -> list[Reason | None]:
    explained = [
        None if kind is None or item_no is None else Reason(kind, item_no)
        for kind, item_no in zip(row["because_kinds"] or (), row["because_nos"] or (), strict=True)
    ]
    return explained + [None] * (len(row["item_nos"]) - len(explained))
