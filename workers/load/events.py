"""Read a plain file of events: one line for each event.

Columns: `user_id` (or only `session_id`) and `item_id`; a time, which is `at` or `timestamp`, or else `position`, the
order within the shopper; and, optionally, `kind`, `value` (or `rating`), `quantity`, `session_id`, `surface`,
`request_id`, `query`, `rank`, `event_id`, and traits of the shopper as `context.country`, ….

A file without times gets artificial ones: position 0 is 2020-01-01 00:00 UTC, each further one an hour later. A line
without `event_id` gets one from its content and the number of equal lines before it, so a second load adds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from reshelf.events import KINDS, SESSION
from workers.canonical import countries
from workers.load import columns, fields, identities, options, reading
from workers.load.columns import Accepted
from workers.load.errors import ColumnError
from workers.load.files import Source
from workers.load.options import Options
from workers.load.reading import EVENT_COLUMNS, Reading
from workers.load.values import nulls, numbers, times

FORMAT = "events"
DEFAULT_KIND = "purchase"
POSITION_START = datetime(2020, 1, 1, tzinfo=UTC)
POSITION_STEP = timedelta(hours=1)
ACCEPTED: Accepted = {
    "user_id": ("user_id",),
    "session_id": ("session_id",),
    "item_id": ("item_id", "product_id"),
    "kind": ("kind", "event_type"),
    "at": ("at", "timestamp", "time", "event_time", "datetime"),
    "position": ("position",),
    "value": ("value", "rating"),
    "quantity": ("quantity",),
    "surface": ("surface",),
    "request_id": ("request_id",),
    "query": ("query",),
    "rank": ("rank",),
    "event_id": ("event_id",),
}

_IDS = ("event_id", "user_id", "session_id", "item_id", "request_id")
_NUMBERS = ("at", "position", "value", "quantity", "rank")
_TRAIT = "context."
_MOST_TRAITS = 16


def recognises(header: Sequence[str]) -> bool:
    """Return whether a file with these columns is one."""
    known = columns.known(header, ACCEPTED)
    return "item_id" in known and bool({"user_id", "session_id"} & known)


def accepted(source: Source) -> Accepted:
    """Return the columns to read. Raises `ColumnError` where one is missing, or too many are traits."""
    source.require("a file of events", ACCEPTED, ["item_id"], ["user_id", "session_id"])
    source.require("a file of events", {**ACCEPTED, "timestamp": ACCEPTED["at"]}, ["at", "timestamp", "position"])
    found = [name for name in source.header if name.lower().startswith(_TRAIT) and len(name) > len(_TRAIT)]
    if len(found) > _MOST_TRAITS:
        raise ColumnError(f"{source.path}: at most {_MOST_TRAITS} columns {_TRAIT}…, it has {len(found)}")
    return {**ACCEPTED, **{_TRAIT + name[len(_TRAIT) :]: (name,) for name in found}}


def read(
    frame: pl.DataFrame,
    path: Path,
    *,
    kind: str = DEFAULT_KIND,
    now: datetime | None = None,
    said: Options = options.NONE,
) -> Reading:
    """Return the file's lines as events; `kind` is what lines without one are."""
    traits = [name for name in frame.columns if name.startswith(_TRAIT)]
    cleared = nulls.cleared(frame, (*_IDS, "kind", "surface", *traits), _NUMBERS)
    unified = identities.formed(identities.unified(cleared, _IDS), [f"{_TRAIT}country"], countries.trait)
    typed, notes = _typed(unified, kind, said)
    kept, rejected = reading.judge(typed, _rules(traits, now), frame)
    if "at" not in frame.columns:
        notes = (*notes, "no clock times: the positions became times, one hour apart, from 2020-01-01")
    return Reading(path, FORMAT, frame.height, rejected, _events(kept, traits), notes=notes)


def _typed(frame: pl.DataFrame, kind: str, said: Options) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the lines with their values beside what they say; and what was assumed."""
    lines = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in ACCEPTED if name not in frame.columns)
    value = numbers.read(lines["value"], is_decimal_comma=said.is_decimal_comma, is_money=True)
    quantity = numbers.read(lines["quantity"], is_decimal_comma=said.is_decimal_comma)
    at = times.read(lines["at"], is_day_first=said.is_day_first)
    steps = numbers.read(lines["position"], is_decimal_comma=said.is_decimal_comma).values
    timed = lines.with_columns(
        steps=steps, by_clock=at.values, is_open_time=at.open, is_open_number=value.open | quantity.open,
        amount=value.values, number=quantity.values, place=numbers.read(lines["rank"]).values,
    )  # fmt: skip
    by_position = fields.after(POSITION_START, pl.col("steps"), POSITION_STEP)
    typed = timed.with_columns(
        moment=pl.col("by_clock") if "at" in frame.columns else by_position,
        said_when=pl.coalesce("at", "position"),
        kind=pl.col("kind").str.to_lowercase().str.replace_all("[ -]", "_").fill_null(kind),
        pieces=pl.coalesce("number", pl.when(pl.col("quantity").is_null()).then(1.0)),
        shopper=pl.coalesce("user_id", pl.concat_str(pl.lit(SESSION), "session_id")),
    )
    return typed, (*at.notes, *value.notes, *quantity.notes)


def _rules(traits: list[str], now: datetime | None) -> dict[str, pl.Expr]:
    search = pl.col("kind") == "search"
    words = [fields.bad_word(name) for name in ("surface", *traits)]
    return {
        "no user_id": pl.col("shopper").is_null(),
        "user_id is a session's": pl.col("user_id").str.starts_with(SESSION).fill_null(False),
        "unknown kind": ~pl.col("kind").is_in(KINDS),
        "no item_id": pl.col("item_id").is_null() & ~search,
        "no query": pl.col("query").is_null() & search,
        "no time": pl.col("said_when").is_null(),
        options.AMBIGUOUS_TIME: pl.col("is_open_time"),
        "unreadable time": pl.col("moment").is_null(),
        "time out of range": fields.out_of_range("moment", now),
        options.AMBIGUOUS_NUMBER: pl.col("is_open_number"),
        "bad value": pl.col("value").is_not_null() & ~(pl.col("amount").abs() <= 1e12).fill_null(False),
        "bad quantity": ~((pl.col("pieces") > 0) & (pl.col("pieces") <= 1e9)).fill_null(False),
        "bad rank": pl.col("rank").is_not_null() & ~pl.col("place").is_between(1, 1_000_000).fill_null(False),
        "bad id": pl.any_horizontal(fields.bad_id(name) for name in _IDS),
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
    """Return an id for every line: a hash of its content and of the number of equal lines before it."""
    # Without `rank`: files from before that column existed keep their ids.
    said = [name for name in EVENT_COLUMNS if name not in ("event_id", "at", "rank")]
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in said]
    content = events.select(content=pl.concat_str(*texts, pl.col("at").dt.epoch("us"), separator="\x1f"))
    placed = content.with_columns(nth=pl.int_range(pl.len()).over("content"))
    digests = [
        hashlib.blake2b(f"{text}\x1f{nth}".encode(), digest_size=16).hexdigest() for text, nth in placed.iter_rows()
    ]
    return pl.Series("event_id", [f"load:{digest}" for digest in digests], dtype=pl.String)
