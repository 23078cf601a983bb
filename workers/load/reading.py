"""The result of reading a file: the rows to write, and every other line under exactly one reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from workers.load import options
from workers.load.errors import LoadError, NoRowsError
from workers.load.tabular.records import LINE, Bad

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


_MOST_PLACES = 10
_MOST_EXAMPLE = 200
# A file of a few bad lines is a report; a whole file of them is a mistake about the file.
_FEW_LINES = 3


@dataclass(frozen=True)
class Rejected:
    """How many lines were left out for one reason, where the first of them stand, and what the first one says."""

    reason: str
    lines: int
    first_line: int
    places: tuple[int, ...] = ()
    example: str = ""


@dataclass(frozen=True)
class Reading:
    """A file as read: `read` lines = `kept` lines + the rejected ones. `changes` are rows of the catalogue door.

    `encoding` and `separator` are what was found, None for a Parquet file.
    """

    path: Path
    format: str
    read: int
    rejected: tuple[Rejected, ...]
    events: pl.DataFrame
    changes: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()
    encoding: str | None = None
    separator: str | None = None

    @property
    def kept(self) -> int:
        """Lines that became an event or an item."""
        return self.read - sum(reason.lines for reason in self.rejected)


@dataclass
class Tally:
    """Counts lines that are left out, under their reasons. Its size does not grow with the file."""

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[int]] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, bad: Iterable[Bad]) -> None:
        """Count the lines; they come in the order of the file."""
        for line, reason, example in bad:
            self.counts[reason] += 1
            self.examples.setdefault(reason, example)
            if len(first := self.places.setdefault(reason, [])) < _MOST_PLACES:
                first.append(line)

    def rejected(self) -> tuple[Rejected, ...]:
        """Return the counts, the most frequent reason first."""
        return tuple(
            Rejected(reason, count, self.places[reason][0], tuple(self.places[reason]), self.examples[reason])
            for reason, count in self.counts.most_common()
        )


def require_rows(path: Path, read: int, rejected: Iterable[Rejected]) -> None:
    """Raise `NoRowsError` for a file of more than a few lines all of which were left out."""
    reasons = list(rejected)
    if read > _FEW_LINES and read == sum(one.lines for one in reasons):
        said = "; ".join(f"{one.lines:,} lines: {one.reason}, first line {one.first_line:,}" for one in reasons)
        example = f" ({reasons[0].example})" if reasons[0].example else ""
        raise NoRowsError(f"{path}: none of its {read:,} lines can be loaded. {said}{example}")


def require_answers(path: Path, rejected: Iterable[Rejected]) -> None:
    """Raise `LoadError` where lines were left out that an option would keep: figures of the rest would mislead."""
    for one in rejected:
        if one.reason in (options.AMBIGUOUS_TIME, options.AMBIGUOUS_NUMBER):
            raise LoadError(f"{path}: {one.lines:,} lines: {one.reason}, first line {one.first_line:,}")


def judge(
    frame: pl.DataFrame, rules: Mapping[str, pl.Expr], said: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, tuple[Rejected, ...]]:
    """Return the lines that break no rule, and the others counted under the first rule that they break.

    A rule maps a reason to an expression that is true for lines to leave out. Examples are taken from `said`, the lines
    as they came, where it is given.
    """
    verdicts = [pl.when(broken).then(pl.lit(reason)) for reason, broken in rules.items()]
    judged = frame.with_columns(reason=pl.coalesce(*verdicts, pl.lit(None, pl.String)))
    bad = judged.filter(pl.col("reason").is_not_null()).select("reason", LINE)
    lines = frame if said is None else said
    found = {str(reason): _rejected(str(reason), group[LINE], lines) for (reason,), group in bad.group_by("reason")}
    kept = judged.filter(pl.col("reason").is_null()).drop("reason")
    return kept, tuple(found[reason] for reason in rules if reason in found)


def _rejected(reason: str, places: pl.Series, lines: pl.DataFrame) -> Rejected:
    first = places.sort().head(_MOST_PLACES).to_list()
    row = lines.filter(pl.col(LINE) == first[0]).drop(LINE).row(0, named=True)
    return Rejected(reason, places.len(), first[0], tuple(first), example(row))


def example(row: Mapping[str, object]) -> str:
    """Return what a line says, as `column=text`, as far as it fits in a report."""
    text = ", ".join(f"{name}={value}" for name, value in row.items() if value is not None)
    return text if len(text) <= _MOST_EXAMPLE else text[:_MOST_EXAMPLE] + "…"


def no_events() -> pl.DataFrame:
    """Return an events frame without rows."""
    return pl.DataFrame(schema=EVENT_COLUMNS)
