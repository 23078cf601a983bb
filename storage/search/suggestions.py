"""Suggestions: phrases that complete what a shopper types, from the catalogue and from other shoppers' searches.

They are counted in Postgres, without a model. A phrase is kept under its folded form, with single spaces, so that it is
found without accents, and shown as the catalogue spells it.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage import throttle
from storage.recommend.shelves import Database

_LONGEST = 80
_DAYS = 30
_LEAST_SHOPPERS = 2
# A phrase of the catalogue counts 1 for each item with it; a searched phrase counts this for each shopper.
_SEARCHED = 10.0

_PLAIN = "btrim(regexp_replace(folded({0}), '\\s+', ' ', 'g'))"

# Phrases that only one shopper searched for are private and are left out.
_REFRESH = text(f"""
WITH said AS (
    SELECT category AS phrase, 1.0 AS weight FROM items WHERE available
    UNION ALL SELECT brand, 1.0 FROM items WHERE available
    UNION ALL SELECT brand || ' ' || category, 0.5 FROM items WHERE available
    UNION ALL SELECT title, 0.5 FROM items WHERE available
    UNION ALL SELECT min(query), {_SEARCHED} * count(DISTINCT shopper) FROM events
        WHERE kind = 'search' AND at > now() - {_DAYS} * interval '1 day'
        GROUP BY {_PLAIN.format("query")} HAVING count(DISTINCT shopper) >= {_LEAST_SHOPPERS}
), counted AS (
    SELECT {_PLAIN.format("phrase")} AS key, CAST(sum(weight) AS real) AS weight,
        (array_agg(btrim(phrase) ORDER BY weight, btrim(phrase)))[1] AS phrase
    FROM said WHERE length(phrase) <= {_LONGEST} GROUP BY 1
), gone AS (
    DELETE FROM suggestions AS s WHERE NOT EXISTS (SELECT FROM counted AS c WHERE c.key = s.key)
)
INSERT INTO suggestions AS s (key, phrase, weight) SELECT key, phrase, weight FROM counted WHERE key <> '' ORDER BY key
ON CONFLICT (key) DO UPDATE SET phrase = excluded.phrase, weight = excluded.weight
WHERE (s.phrase, s.weight) IS DISTINCT FROM (excluded.phrase, excluded.weight)
""")
_STATE = text("""
SELECT (SELECT coalesce(max(changed_xid), 0) FROM items) || '/' || (SELECT coalesce(max(at), '-infinity') FROM events
    WHERE kind = 'search' AND at > now() - interval '30 days')
""")

_STARTING = "SELECT phrase FROM completions($1, $2)"


def refresh(connection: Connection) -> bool:
    """Update the phrases if something came in and it is time to; return whether it did."""
    shift = throttle.begin(connection, "suggestions", _STATE)
    if shift is None:
        return False
    connection.execute(_REFRESH)
    throttle.end(connection, shift)
    return True


async def starting(database: Database, typed: str, most: int) -> list[str]:
    """Return the phrases of most weight whose folded form begins with that of `typed`. Raises asyncpg's errors."""
    rows = await database.fetch(_STARTING, typed, most)
    return [row["phrase"] for row in rows]
