"""Text columns to typed ones: what does not parse becomes null, and the rules of a reader say what that means."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from reshelf import clock

UTC_TIME = pl.Datetime("us", "UTC")

_NUMBER = r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$"
_CONTROL = r"[\x00-\x1f\x7f]"


def number(column: str) -> pl.Expr:
    """Return the column as numbers; null where it is none or not finite."""
    value = pl.col(column).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def time(column: str) -> pl.Expr:
    """Return the column as UTC times.

    Read are ISO 8601 (without an offset it is UTC), `month/day/year hour:minute`, and seconds, milliseconds or
    microseconds since 1970, told apart by their size.
    """
    text = pl.col(column)
    written = (
        text.str.replace(r"^(\d{4}-\d{2}-\d{2})[ T]?", "${1}T")
        .str.replace(r"T$", "T00:00")
        .str.replace(r" ?(Z|z|UTC)$", "+00:00")
        .str.replace(r"^([^T]+T\d{2}:\d{2})($|[+-])", "${1}:00${2}")
        .str.replace(r"([+-]\d{2})$", "${1}:00")
        .str.replace(r"^([^T]+T[^+-]+)$", "${1}+00:00")
    )
    iso = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
    american = text.str.to_datetime("%m/%d/%Y %H:%M", time_unit="us", strict=False).dt.replace_time_zone("UTC")
    return pl.coalesce(iso.cast(UTC_TIME), american.cast(UTC_TIME), _epoch(text))


def out_of_range(column: str, now: datetime) -> pl.Expr:
    """Return whether a time is none that `reshelf.clock` takes at `now`: its clock, or its unit, is wrong."""
    earliest, latest = clock.bounds(now)
    return ~pl.col(column).is_between(pl.lit(earliest), pl.lit(latest))


def bad_id(column: str, longest: int = 128) -> pl.Expr:
    """Return whether a value is no id: over `longest` characters, or with control characters."""
    return (pl.col(column).str.len_chars() > longest) | pl.col(column).str.contains(_CONTROL)


def bad_word(column: str, longest: int = 256) -> pl.Expr:
    """Return whether a text is too long, or holds the one character that Postgres cannot."""
    return (pl.col(column).str.len_chars() > longest) | pl.col(column).str.contains("\x00", literal=True)


def after(start: datetime, steps: pl.Expr, step: timedelta) -> pl.Expr:
    """Return the time that lies `steps` times `step` after `start`."""
    microseconds = (steps * step.total_seconds() * 1e6).cast(pl.Int64, strict=False)
    return pl.lit(start).cast(UTC_TIME) + microseconds.cast(pl.Duration("us"))


def _epoch(text: pl.Expr) -> pl.Expr:
    value = pl.when(text.str.contains(_NUMBER)).then(text.cast(pl.Float64, strict=False))
    scale = pl.when(value.abs() < 1e11).then(1e6).when(value.abs() < 1e14).then(1e3).otherwise(1.0)
    return (value * scale).round().cast(pl.Int64, strict=False).cast(UTC_TIME)
