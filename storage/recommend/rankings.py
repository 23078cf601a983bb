"""Rankings: one ranked shelf per row, as the numbers of its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from storage.json import ascii_text

HOME = "home"
SIMILAR = "similar"
BOUGHT_TOGETHER = "bought_together"
POPULAR = "popular"
SEGMENT = "segment"

EVERYONE = ""
"""Owner of the shelves for everybody."""

# Shelves arrive with item ids; an item that is not in the catalogue is left out.
_WRITE = text("""
INSERT INTO rankings AS r (owner, surface, item_nos, scores, model_version, through, mark)
SELECT owner, surface, numbered.item_nos, numbered.scores, model_version, through, mark
FROM json_to_recordset(CAST(:rows AS json)) AS r(
    owner text, surface text, item_ids text[], scores real[], model_version text, through timestamptz, mark bigint),
    LATERAL (
        SELECT coalesce(array_agg(CAST(items.item_no AS integer) ORDER BY n), '{}') AS item_nos,
            coalesce(array_agg(score ORDER BY n), '{}') AS scores
        FROM unnest(item_ids, scores) WITH ORDINALITY AS ranked(item_id, score, n) JOIN items USING (item_id)
    ) AS numbered
ORDER BY owner, surface
ON CONFLICT (owner, surface) DO UPDATE SET item_nos = excluded.item_nos, scores = excluded.scores,
    model_version = excluded.model_version, generated_at = now(), through = excluded.through, mark = excluded.mark
WHERE r.mark <= excluded.mark
""")

_REMOVE = text("""
DELETE FROM rankings AS r USING unnest(CAST(:owners AS text[]), CAST(:marks AS bigint[])) AS gone(owner, mark)
WHERE r.owner = gone.owner AND r.surface = :surface AND r.mark <= gone.mark
""")

# The popular shelves hold the most popular items overall, and of each category, with their scores.
_POPULARITY = text(f"""
SELECT item_id, popular.score FROM (
    SELECT item_no, max(score) AS score FROM rankings, unnest(item_nos, scores) AS shelf(item_no, score)
    WHERE surface = '{POPULAR}' GROUP BY item_no
) AS popular JOIN items USING (item_no)
""")


@dataclass(frozen=True)
class Ranking:
    """A shelf, best item first: external ids and their scores, and the time of the last event that it reflects."""

    owner: str
    surface: str
    item_ids: list[str]
    scores: list[float]
    model_version: str
    through: datetime | None
    mark: int = 0


def write(connection: Connection, shelves: Sequence[Ranking]) -> None:
    """Write the shelves; a shelf with a newer mark keeps the newer result."""
    if shelves:
        connection.execute(_WRITE, {"rows": ascii_text([vars(shelf) for shelf in shelves])})


def remove(connection: Connection, surface: str, marks: Mapping[str, int]) -> None:
    """Delete the shelves of these owners, except those with a newer mark."""
    parameters = {"surface": surface, "owners": list(marks), "marks": list(marks.values())}
    connection.execute(_REMOVE, parameters)


def category_owner(category: str) -> str:
    """Return the owner of a category's shelf."""
    return f"category={category}"


def trait_owner(name: str, value: str) -> str:
    """Return the owner of the shelf of everyone with this trait."""
    return f"{name}={value}"


def popularity(connection: Connection) -> dict[str, float]:
    """Return the popularity of every item on a popular shelf, overall or of a category."""
    return {row.item_id: float(row.score) for row in connection.execute(_POPULARITY)}
