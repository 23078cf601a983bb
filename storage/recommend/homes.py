"""Home shelves: each shopper's own shelf as the ranking worker writes it, and the reasons of its first items.

They are written after every event, so writing looks nothing up and sends numbers in binary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, text

from storage import arrays
from storage.json import ascii_text
from storage.recommend.rankings import HOME

# The items and scores of all shelves are two arrays, of which each shelf has a slice.
_WRITE = text(f"""
INSERT INTO rankings AS r (owner, surface, item_nos, scores, model_version, through, mark, counted_by)
SELECT owner, '{HOME}', (CAST(:item_nos AS int4[]))[after + 1:last], (CAST(:scores AS float4[]))[after + 1:last],
    model_version, through, mark, :counted_by
FROM unnest(CAST(:owners AS text[]), CAST(:afters AS int4[]), CAST(:lasts AS int4[]), CAST(:versions AS text[]),
    CAST(:throughs AS timestamptz[]), CAST(:marks AS bigint[]))
    AS home(owner, after, last, model_version, through, mark)
ORDER BY owner
ON CONFLICT (owner, surface) DO UPDATE SET item_nos = excluded.item_nos, scores = excluded.scores,
    model_version = excluded.model_version, generated_at = now(), through = excluded.through, mark = excluded.mark,
    counted_by = excluded.counted_by, because_nos = NULL, because_kinds = NULL
WHERE r.mark <= excluded.mark
""")

# A shelf that was written again meanwhile is not changed.
_EXPLAIN = text(f"""
WITH reason AS MATERIALIZED (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS given(
        owner text, mark bigint, generated_at timestamptz, because_nos integer[], because_kinds text[])
), held AS MATERIALIZED (
    SELECT r.owner FROM rankings AS r WHERE r.surface = '{HOME}' AND r.owner IN (SELECT owner FROM reason)
    ORDER BY r.owner FOR UPDATE
)
UPDATE rankings AS r SET because_nos = reason.because_nos, because_kinds = reason.because_kinds
FROM held JOIN reason USING (owner)
WHERE r.owner = reason.owner AND r.surface = '{HOME}' AND r.mark = reason.mark
    AND r.generated_at = coalesce(reason.generated_at, r.generated_at)
""")

# A shelf that does not exist yet gets an empty row, so that of two workers that want to write it one waits.
_RESERVE = text(f"""
INSERT INTO rankings (owner, surface, item_nos, scores, model_version)
SELECT owner, '{HOME}', '{{}}', '{{}}', '' FROM unnest(CAST(:owners AS text[])) AS owner ORDER BY owner
ON CONFLICT (owner, surface) DO NOTHING
""")
_STANDING = text(f"""
SELECT owner, counted_by, generated_at, through, mark,
    EXISTS (SELECT FROM actors WHERE shopper = owner AND flagged) AS flagged
FROM rankings WHERE surface = '{HOME}' AND owner = ANY(:owners) ORDER BY owner FOR UPDATE OF rankings
""")

_TO_EXPLAIN = text(f"""
SELECT owner, item_nos[1:CAST(:first AS int)] AS item_nos, model_version, generated_at, through, mark,
    generated_at > now() - :rest * interval '1 second' AS is_fresh, because_kinds IS NOT NULL AS is_explained
FROM rankings WHERE surface = '{HOME}' AND owner = ANY(:owners)
""")


@dataclass(frozen=True)
class Standing:
    """What is stored with an existing shelf.

    The version that counted its events (None if there was no shelf), when it was ranked, the time of its last event,
    the mark it was ranked for, and whether its owner is flagged.
    """

    counted_by: str | None
    generated_at: datetime
    through: datetime | None
    mark: int
    flagged: bool = False


@dataclass(frozen=True)
class Home:
    """A shopper's own shelf, best item first.

    The numbers of its items (int32), their scores (float32), and the time of the last event that it reflects.
    """

    owner: str
    item_nos_N: np.ndarray
    scores_N: np.ndarray
    model_version: str
    through: datetime | None
    mark: int = 0


@dataclass(frozen=True)
class Reasons:
    """Why the first items of a shopper's shelf were recommended, for the shelf of this mark and time (None: any time).

    A reason is the number of an item of the owner's history and the kind of the event; both are None for an item that
    no event moved.
    """

    owner: str
    mark: int
    generated_at: datetime | None
    because_nos: list[int | None]
    because_kinds: list[str | None]


@dataclass(frozen=True)
class Unexplained:
    """A shopper's shelf that is to be explained: its first items, and what identifies this state of it.

    `is_fresh` says that it was written so lately that it may be replaced in a moment.
    """

    item_nos: list[int]
    model_version: str
    generated_at: datetime
    through: datetime | None
    mark: int
    is_fresh: bool
    is_explained: bool


def write(connection: Connection, homes: Sequence[Home], *, counted_by: str | None) -> None:
    """Write shoppers' shelves, without reasons; a shelf with a newer mark keeps the newer result.

    `counted_by` is the live version, which counted the events up to `through`, whichever version ranked.
    """
    if not homes:
        return
    lasts_H = np.cumsum([len(home.item_nos_N) for home in homes])
    parameters = {
        "owners": arrays.texts(home.owner for home in homes),
        "afters": arrays.integers([np.zeros(1, np.int32), lasts_H[:-1]]),
        "lasts": arrays.integers([lasts_H]),
        "item_nos": arrays.integers([home.item_nos_N for home in homes]),
        "scores": arrays.floats([home.scores_N for home in homes]),
        "versions": arrays.texts(home.model_version for home in homes),
        "throughs": [home.through for home in homes],
        "marks": arrays.marks([home.mark for home in homes]),
        "counted_by": counted_by,
    }
    connection.execute(_WRITE, parameters)


def explain(connection: Connection, reasons: Sequence[Reasons]) -> None:
    """Write the reasons of shelves that were not written again meanwhile."""
    if reasons:
        connection.execute(_EXPLAIN, {"rows": ascii_text([vars(one) for one in reasons])})


def to_explain(connection: Connection, owners: Sequence[str], *, first: int, rest: float) -> dict[str, Unexplained]:
    """Return the shelves of these owners, each with its first `first` items.

    A shelf that was written within the last `rest` seconds is fresh.
    """
    rows = connection.execute(_TO_EXPLAIN, {"owners": arrays.texts(owners), "first": first, "rest": rest})
    return {owner: Unexplained(*values) for owner, *values in rows}


def standing(connection: Connection, owners: Sequence[str]) -> dict[str, Standing]:
    """Return what is stored for each of these shoppers, and block other writers until this transaction ends.

    Write all these shelves in the same transaction: a shelf that did not exist is reserved by an empty one.
    """
    found = _standing(connection, owners)
    if len(found) < len(set(owners)):
        connection.execute(_RESERVE, {"owners": arrays.texts(owners)})
        found = _standing(connection, owners)
    return found


def _standing(connection: Connection, owners: Sequence[str]) -> dict[str, Standing]:
    rows = connection.execute(_STANDING, {"owners": arrays.texts(owners)})
    return {owner: Standing(*values) for owner, *values in rows}
