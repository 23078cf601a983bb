"""Rankings: one ranked shelf a row."""

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
"""Owner of the shelf that is everyone's."""

# A shopper's own shelf holds the items' numbers as well, for `storage.own_shelves`; none where one has no number yet.
_WRITE = text(f"""
INSERT INTO rankings AS r (owner, surface, item_ids, scores, model_version, through, mark,
    because_item_ids, because_kinds, counted_by, item_nos, because_nos)
SELECT owner, surface, item_ids, scores, model_version, through, mark, because_item_ids, because_kinds, counted_by,
    CASE WHEN surface = '{HOME}' THEN (
        SELECT array_agg(items.item_no ORDER BY n)
        FROM unnest(item_ids) WITH ORDINALITY AS ranked(item_id, n) JOIN items USING (item_id)
        HAVING count(*) = cardinality(item_ids)) END,
    CASE WHEN surface = '{HOME}' THEN (
        SELECT array_agg(items.item_no ORDER BY n)
        FROM unnest(because_item_ids) WITH ORDINALITY AS reason(item_id, n) LEFT JOIN items USING (item_id)) END
FROM json_to_recordset(CAST(:rows AS json)) AS r(
    owner text, surface text, item_ids text[], scores real[], model_version text, through timestamptz, mark bigint,
    because_item_ids text[], because_kinds text[], counted_by text)
ORDER BY owner, surface
ON CONFLICT (owner, surface) DO UPDATE SET item_ids = excluded.item_ids, scores = excluded.scores,
    model_version = excluded.model_version, generated_at = now(), through = excluded.through, mark = excluded.mark,
    because_item_ids = excluded.because_item_ids, because_kinds = excluded.because_kinds,
    counted_by = excluded.counted_by, item_nos = excluded.item_nos, because_nos = excluded.because_nos
WHERE r.mark <= excluded.mark
""")

_REMOVE = text("""
DELETE FROM rankings AS r USING unnest(CAST(:owners AS text[]), CAST(:marks AS bigint[])) AS gone(owner, mark)
WHERE r.owner = gone.owner AND r.surface = :surface AND r.mark <= gone.mark
""")

# A shelf that is not there yet gets an empty row, so that of two workers who want to write it one waits for the other.
_RESERVE = text("""
INSERT INTO rankings (owner, surface, item_ids, scores, model_version)
SELECT owner, :surface, '{}', '{}', '' FROM unnest(CAST(:owners AS text[])) AS owner ORDER BY owner
ON CONFLICT (owner, surface) DO NOTHING
""")
_STANDING = text("""
SELECT owner, counted_by, generated_at, through, mark FROM rankings
WHERE surface = :surface AND owner = ANY(:owners) ORDER BY owner FOR UPDATE
""")


# The shelves that are everyone's hold the most popular items of all, and of each category, with their scores.
_POPULARITY = text(f"""
SELECT item_id, max(score) AS score FROM rankings, unnest(item_ids, scores) AS shelf(item_id, score)
WHERE surface = '{POPULAR}' GROUP BY item_id
""")


@dataclass(frozen=True)
class Standing:
    """What is noted with a shelf that stands: by which version its events are counted (None where there was no
    shelf), when it was ranked, through which event, and for which mark.
    """

    counted_by: str | None
    generated_at: datetime
    through: datetime | None
    mark: int


@dataclass(frozen=True)
class Ranking:
    """A shelf, best item first: external ids and their scores, and the time of the last event that it reflects.

    `because_item_ids` and `because_kinds` name, for the first items, the event of the owner's history that moved each
    most, None where none did; both are None where nothing is explained. `counted_by` is the version that served,
    and counted the events up to `through`, whichever ranked.
    """

    owner: str
    surface: str
    item_ids: list[str]
    scores: list[float]
    model_version: str
    through: datetime | None
    mark: int = 0
    because_item_ids: list[str | None] | None = None
    because_kinds: list[str | None] | None = None
    counted_by: str | None = None


def write(connection: Connection, shelves: Sequence[Ranking]) -> None:
    """Write the shelves; one that a newer mark has overtaken keeps the newer result."""
    if shelves:
        connection.execute(_WRITE, {"rows": ascii_text([vars(shelf) for shelf in shelves])})


def remove(connection: Connection, surface: str, marks: Mapping[str, int]) -> None:
    """Delete the shelves of these owners, unless a newer mark has overtaken theirs."""
    parameters = {"surface": surface, "owners": list(marks), "marks": list(marks.values())}
    connection.execute(_REMOVE, parameters)


def standing(connection: Connection, owners: Sequence[str], surface: str) -> dict[str, Standing]:
    """Return what stands for every one of `owners`, and keep other writers waiting until this transaction ends.

    Write all these shelves in the same transaction: one that was not there is reserved with an empty one.
    """
    parameters = {"owners": list(owners), "surface": surface}
    connection.execute(_RESERVE, parameters)
    rows = connection.execute(_STANDING, parameters)
    return {row.owner: Standing(row.counted_by, row.generated_at, row.through, row.mark) for row in rows}


def category_owner(category: str) -> str:
    """Return the owner of a category's shelf."""
    return f"category={category}"


def trait_owner(name: str, value: str) -> str:
    """Return the owner of the shelf of everyone with this trait."""
    return f"{name}={value}"


def popularity(connection: Connection) -> dict[str, float]:
    """Return the popularity of every item that stands on a popular shelf, of all or of a category."""
    return {row.item_id: float(row.score) for row in connection.execute(_POPULARITY)}
