"""Rules that the readers of a file share: what is no id, no word, no plausible time."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from reshelf import clock
from workers.load.values.times import UTC_TIME

_CONTROL = r"[\x00-\x1f\x7f]"


def out_of_range(column: str, now: datetime | None) -> pl.Expr:
    """Return whether a time is none that `reshelf.clock` takes at `now`: its clock, or its unit, is wrong."""
    earliest, latest = clock.bounds(now)
    return ~pl.col(column).is_between(pl.lit(earliest), pl.lit(latest))


def bad_id(column: str, longest: int = 128) -> pl.Expr:
    """Return whether a value is not a valid id: longer than `longest` characters, or with control characters."""
    return (pl.col(column).str.len_chars() > longest) | pl.col(column).str.contains(_CONTROL)


def bad_word(column: str, longest: int = 256) -> pl.Expr:
    """Return whether a text is too long, or holds a NUL, which Postgres cannot store."""
    return (pl.col(column).str.len_chars() > longest) | pl.col(column).str.contains("\x00", literal=True)


def after(start: datetime, steps: pl.Expr, step: timedelta) -> pl.Expr:
    """Return the time that lies `steps` times `step` after `start`."""
    microseconds = (steps * step.total_seconds() * 1e6).cast(pl.Int64, strict=False)
    return pl.lit(start).cast(UTC_TIME) + microseconds.cast(pl.Duration("us"))
