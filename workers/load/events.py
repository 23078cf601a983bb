"""A plain file of events: one line for each thing that a shopper did.

Columns: `user_id` (or `session_id` alone) and `item_id`; a time, which is `at` or `timestamp`, or else `position`, the
order within the shopper; and, as far as there are any, `kind`, `value` (or `rating`), `quantity`, `session_id`,
`surface`, `request_id`, `query`, `rank`, `event_id`, and traits of the shopper as `context.country`, ….

A file without clock times gets times of its own: position 0 is 2020-01-01 00:00 UTC, each further one an hour later.
A line without `event_id` gets one from what it says and how often the file said so before: a second load adds nothing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from reshelf.events import KINDS
from workers.load import fields, files
from workers.load.errors import ColumnError
from workers.load.files import LINE
from workers.load.reading import EVENT_COLUMNS, Reading, judge

FORMAT = "events"
DEFAULT_KIND = "purchase"
POSITION_START = datetime(2020, 1, 1, tzinfo=UTC)
POSITION_STEP = timedelta(hours=1)

_ALIASES = {"timestamp": "at", "time": "at", "event_type": "kind", "rating": "value"}
_COLUMNS = (
    "user_id", "session_id", "item_id", "kind", "at", "position", "value", "quantity", "surface", "request_id",
    "query", "rank", "event_id",
)  # fmt: skip
_TRAIT = "context."
_MOST_TRAITS = 16


def recognises(columns: list[str]) -> bool:
    """Return whether a file with these columns is one."""
    return "item_id" in columns and bool({"user_id", "session_id"} & set(columns))


def read(frame: pl.DataFrame, path: Path, *, kind: str = DEFAULT_KIND, now: datetime | None = None) -> Reading:
    """Return the file's lines as events; `kind` is what lines without one are. Raises `ColumnError`."""
    files.require(frame, path, "a file of events", ["item_id"], ["user_id", "session_id"])
    frame = frame.rename({old: new for old, new in _ALIASES.items() if old in frame and new not in frame})
    files.require(frame, path, "a file of events", ["at", "timestamp", "position"])
    traits = [name for name in frame.columns if name.startswith(_TRAIT) and name != _TRAIT]
    if len(traits) > _MOST_TRAITS:
        raise ColumnError(f"{path}: at most {_MOST_TRAITS} columns {_TRAIT}…, it has {len(traits)}")
    kept, rejected = judge(_typed(frame, kind), _rules(traits, now or datetime.now(UTC)))
    ignored = [name for name in frame.columns if name not in (*_COLUMNS, *traits, LINE)]
    notes = [f"columns not used: {', '.join(ignored)}"] if ignored else []
    if "at" not in frame.columns:
        notes.append("no clock times: the positions became times, one hour apart, from 2020-01-01")
    return Reading(path, FORMAT, frame.height, rejected, _events(kept, traits), notes=tuple(notes))


def _typed(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    absent = [pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in frame.columns]
    lines = frame.with_columns(absent)
    by_position = fields.after(POSITION_START, fields.number("position"), POSITION_STEP)
    timed = fields.time("at") if "at" in frame.columns else by_position
    return lines.with_columns(
        moment=timed,
        said_when=pl.coalesce("at", "position"),
        kind=pl.col("kind").fill_null(kind),
        amount=fields.number("value"),
        pieces=pl.coalesce(fields.number("quantity"), pl.when(pl.col("quantity").is_null()).then(1.0)),
        place=fields.number("rank"),
        shopper=pl.coalesce("user_id", pl.concat_str(pl.lit("session:"), "session_id")),
    )


def _rules(traits: list[str], now: datetime) -> dict[str, pl.Expr]:
    search = pl.col("kind") == "search"
    ids = [fields.bad_id(name) for name in ("event_id", "user_id", "session_id", "item_id", "request_id")]
    words = [fields.bad_word(name) for name in ("surface", *traits)]
    return {
        "no user_id": pl.col("shopper").is_null(),
        "unknown kind": ~pl.col("kind").is_in(KINDS),
        "no item_id": pl.col("item_id").is_null() & ~search,
        "no query": pl.col("query").is_null() & search,
        "no time": pl.col("said_when").is_null(),
        "unreadable time": pl.col("moment").is_null(),
        "time out of range": fields.out_of_range("moment", now),
        "bad value": pl.col("value").is_not_null() & ~(pl.col("amount").abs() <= 1e12).fill_null(False),
        "bad quantity": ~((pl.col("pieces") > 0) & (pl.col("pieces") <= 1e9)).fill_null(False),
        "bad rank": pl.col("rank").is_not_null() & ~pl.col("place").is_between(1, 1_000_000).fill_null(False),
        "bad id": pl.any_horizontal(ids),
        "bad text": pl.any_horizontal([*words, fields.bad_word("query", 2000)]),
    }


def _events(lines: pl.DataFrame, traits: list[str]) -> pl.DataFrame:
    events = lines.with_columns(
        at=pl.col("moment"),
        value=pl.col("amount"),
        quantity=pl.col("pieces"),
        rank=pl.col("place").cast(pl.Int32),
        context=_context(traits),
    )
    return events.with_columns(event_id=pl.coalesce("event_id", _ids(events))).select(list(EVENT_COLUMNS))


def _context(traits: list[str]) -> pl.Expr:
    if not traits:
        return pl.lit(None, pl.String)
    named = pl.struct(pl.col(name).alias(name.removeprefix(_TRAIT)) for name in traits)
    return pl.when(pl.any_horizontal(pl.col(traits).is_not_null())).then(named.struct.json_encode())


def _ids(events: pl.DataFrame) -> pl.Series:
    """Return an id for every line: a digest of what it says and of how many lines said the same before."""
    # Without `rank`, which files had no column for once: they keep their ids.
    said = [name for name in EVENT_COLUMNS if name not in ("event_id", "at", "rank")]
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in said]
    content = events.select(content=pl.concat_str(*texts, pl.col("at").dt.epoch("us"), separator="\x1f"))
    placed = content.with_columns(nth=pl.int_range(pl.len()).over("content"))
    digests = [
        hashlib.blake2b(f"{text}\x1f{nth}".encode(), digest_size=16).hexdigest() for text, nth in placed.iter_rows()
    ]
    return pl.Series("event_id", [f"load:{digest}" for digest in digests], dtype=pl.String)
