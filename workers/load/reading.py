"""What a reader made of a file: the rows to write, and every other line under exactly one reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from workers.load.files import LINE

EVENT_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.String,
    "shopper": pl.String,
    "kind": pl.String,
    "item_id": pl.String,
    "at": pl.Datetime("us", "UTC"),
    "value": pl.Float64,
    "quantity": pl.Float64,
    "session_id": pl.String,
    "surface": pl.String,
    "request_id": pl.String,
    "query": pl.String,
    "rank": pl.Int32,
    "context": pl.String,
}
"""The columns of an events frame, in the order of `storage.events.bulk.EVENT_COLUMNS`; `context` is JSON."""


@dataclass(frozen=True)
class Rejected:
    """How many lines were left out for one reason, and where the first of them stands."""

    reason: str
    lines: int
    first_line: int


@dataclass(frozen=True)
class Reading:
    """A file as read: `read` lines = `kept` lines + the rejected ones. `changes` are rows of the catalogue door."""

    path: Path
    format: str
    read: int
    rejected: tuple[Rejected, ...]
    events: pl.DataFrame
    changes: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        """Lines that became an event or an item."""
        return self.read - sum(reason.lines for reason in self.rejected)


def judge(frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, tuple[Rejected, ...]]:
    """Return the lines that break no rule, and the others counted under the first rule that they break.

    A rule maps a reason to an expression that is true for lines to leave out.
    """
    verdicts = [pl.when(broken).then(pl.lit(reason)) for reason, broken in rules.items()]
    judged = frame.with_columns(reason=pl.coalesce(*verdicts, pl.lit(None, pl.String)))
    counted = judged.filter(pl.col("reason").is_not_null()).group_by("reason").agg(pl.len(), pl.col(LINE).min())
    found = {reason: Rejected(reason, lines, first) for reason, lines, first in counted.iter_rows()}
    kept = judged.filter(pl.col("reason").is_null()).drop("reason")
    return kept, tuple(found[reason] for reason in rules if reason in found)


def no_events() -> pl.DataFrame:
    """Return an events frame without rows."""
    return pl.DataFrame(schema=EVENT_COLUMNS)
