"""Files to frames: CSV (plain, gzip, zstd) and Parquet, every value as text, so that an id `007` stays `007`.

`opened` looks at a file: its encoding, its separator and its columns. `Source.read` then reads the columns that are
wanted, and no others: what a column holds that nobody uses costs neither memory nor a line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl
from polars import selectors

from workers.load import columns
from workers.load.columns import Accepted
from workers.load.errors import ColumnError, FileError
from workers.load.options import NONE, Options
from workers.load.reading import Rejected, Tally
from workers.load.tabular import compression, decoding, encoding, records
from workers.load.tabular import dialect as dialects
from workers.load.tabular.dialect import Dialect
from workers.load.tabular.encoding import Encoding
from workers.load.tabular.records import LINE, Shape

__all__ = ["LINE"]

_TEXT = (".csv", ".tsv", ".txt", ".tab", ".psv")
_PARQUET = (".parquet", ".pq")
_PACKED = ("", ".gz", ".zst")
_ENDINGS = (*(text + packed for text in _TEXT for packed in _PACKED), *_PARQUET)
_SAMPLE_CHARS = 1 << 18
_SAMPLE_LINES = 1_000
_NULL = r"\N"
"""What databases write for a value that is none: nobody writes it for anything else."""


class Table(NamedTuple):
    """The wanted columns of a file, with `line`; the lines that are no records; and what was decided on the way."""

    frame: pl.DataFrame
    read: int
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A file that was looked at. `encoding` and `dialect` are None for Parquet; `skipped` lines precede the records."""

    path: Path
    header: tuple[str, ...]
    encoding: Encoding | None = None
    dialect: Dialect | None = None
    skipped: int = 0

    def read(self, accepted: Accepted) -> Table:
        """Return the columns that are accepted, under our names. Raises `FileError`.

        White space around values is removed; empty ones, and `\\N`, are null.
        """
        places = columns.places(self.header, accepted)
        wanted = tuple(sorted({place for there in places.values() for place in there}))
        raw, bad = self._parquet(wanted) if self.dialect is None else self._csv(wanted)
        texts = pl.exclude(LINE).str.strip_chars()
        raw = raw.select(LINE, pl.when((texts != "") & (texts != _NULL)).then(texts).name.keep())
        chosen = {ours: _best(raw, there) for ours, there in places.items()}
        frame = raw.select(LINE, *(pl.col(str(place)).alias(ours) for ours, place in chosen.items()))
        return Table(frame, raw.height + bad.counts.total(), bad.rejected(), tuple(self._notes(places, chosen)))

    def require(self, what: str, accepted: Accepted, *alternatives: Iterable[str]) -> None:
        """Raise `ColumnError` unless the file has one column of each group of alternatives."""
        known = columns.known(self.header, accepted)
        for group in map(list, alternatives):
            if not set(group) & known:
                there = ", ".join(name for name in self.header if name) or "none"
                raise ColumnError(f"{self.path}: {what} needs a column `{'` or `'.join(group)}`; it has {there}")

    def _csv(self, wanted: tuple[int, ...]) -> tuple[pl.DataFrame, Tally]:
        assert self.encoding is not None
        assert self.dialect is not None
        named = [place for place, name in enumerate(self.header, 1) if name]
        shape = Shape(len(self.header), max(named, default=1), wanted)
        empty = pl.DataFrame(schema={LINE: pl.Int64} | dict.fromkeys(map(str, wanted), pl.String))
        frames, bad = [empty], Tally()
        with decoding.opened(self.path, self.encoding, self.dialect.newline) as text:
            for _ in range(self.skipped):
                text.readline()
            damage, line = decoding.damage(self.encoding), self.skipped + 1
            for piece in records.pieces(text, self.dialect, shape, line=line, damage=damage):
                frames.append(piece.frame)
                bad.add(piece.bad)
        frame = pl.concat(frames)
        if not frame.height and not bad.counts:
            raise FileError(f"{self.path} names its columns and has no lines below")
        return frame, bad

    def _parquet(self, wanted: tuple[int, ...]) -> tuple[pl.DataFrame, Tally]:
        try:
            raw = pl.read_parquet(self.path, columns=list(wanted))
            frame = _texts(raw.rename({name: str(place) for name, place in zip(raw.columns, wanted, strict=True)}))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise FileError(f"{self.path} cannot be read: {str(error).splitlines()[0]}") from error
        return frame.with_row_index(LINE, offset=1).with_columns(pl.col(LINE).cast(pl.Int64)), Tally()

    def _notes(self, places: dict[str, list[int]], chosen: dict[str, int]) -> Iterable[str]:
        if self.encoding and self.encoding.note:
            yield self.encoding.note
        for ours, there in places.items():
            if len(there) > 1:
                names = " and ".join(f"`{self.header[place]}` (column {place + 1})" for place in sorted(there))
                yield f"{names} mean the same, {ours}: column {chosen[ours] + 1} is used"
        used = set(chosen.values())
        unused = [name for place, name in enumerate(self.header) if name and place not in used]
        if unused:
            yield f"columns not used: {', '.join(unused)}"


def opened(path: Path, options: Options = NONE) -> Source:
    """Return what a file says of itself. Raises `FileError`."""
    if not path.is_file():
        raise FileError(f"{path} is not a file: give the path of a CSV or Parquet file")
    if not path.name.lower().endswith(_ENDINGS):
        raise FileError(f"{path} is neither CSV nor Parquet: its name should end in {', '.join(_TEXT + _PARQUET)}")
    try:
        if compression.is_parquet(path):
            return Source(path, tuple(pl.read_parquet_schema(path)))
        if path.name.lower().endswith(_PARQUET):
            raise FileError(f"{path} cannot be read: it does not begin as a Parquet file does")
        return _looked_at(path, encoding.decide(path, options.encoding))
    except (pl.exceptions.PolarsError, *compression.ERRORS) as error:
        raise FileError(f"{path} cannot be read: {(str(error) or type(error).__name__).splitlines()[0]}") from error


def find(folder: Path, name: str) -> Path | None:
    """Return the file `name`.csv, `name`.csv.gz, `name`.parquet, … of a folder, if it has one."""
    return next((folder / (name + end) for end in _ENDINGS if (folder / (name + end)).is_file()), None)


def _looked_at(path: Path, found: Encoding) -> Source:
    lines = _first_lines(path, found, "")
    skipped, separator = _before(path, lines)
    dialect = dialects.found(lines[skipped:], separator=separator)
    if dialect.newline:
        lines = _first_lines(path, found, dialect.newline)
        skipped, _ = _before(path, lines)
    header, taken = dialects.header(dialect, lines[skipped:])
    return Source(path, tuple(map(columns.cleaned, header)), found, dialect, skipped + taken)


def _first_lines(path: Path, found: Encoding, newline: str) -> list[str]:
    with decoding.opened(path, found, newline) as text:
        return text.readlines(_SAMPLE_CHARS)[:_SAMPLE_LINES]


def _before(path: Path, lines: list[str]) -> tuple[int, str | None]:
    """Return how many lines stand before the header, and the separator that one of them names."""
    empty = next((place for place, line in enumerate(lines) if line.strip("\ufeff \t\r\n")), len(lines))
    separator = dialects.hinted(lines[empty]) if empty < len(lines) else None
    skipped = empty + (separator is not None)
    if skipped >= len(lines):
        raise FileError(f"{path} is empty: the first line should name the columns")
    return skipped, separator


def _best(frame: pl.DataFrame, there: list[int]) -> int:
    """Return the column with the most values; of equals, the one with the better name."""
    return max(there, key=lambda place: (frame[str(place)].count(), -there.index(place)))


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return every column as text: times in UTC, lists joined by `|`, whole numbers without a decimal point."""
    aware = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    nested = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]
    return (
        frame.with_columns(pl.col(aware).dt.convert_time_zone("UTC").dt.replace_time_zone(None))
        .with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("|"))
        .with_columns(pl.col(name).struct.json_encode() for name in nested)
        .with_columns(selectors.float().cast(pl.String).str.replace(r"\.0$", ""))
        .with_columns(pl.all().cast(pl.String))
    )
