"""Files to frames: CSV (also .gz, .zst) and Parquet, every value as text, so that an id `007` stays `007`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl
from polars import selectors

from workers.load.errors import ColumnError, FileError

LINE = "line"
"""The column with each row's place: its line in a CSV without line breaks in values, its row in Parquet; from 1."""

_CSV = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz")
_PARQUET = (".parquet", ".pq")


def read(path: Path) -> pl.DataFrame:
    """Return the file's columns as text, white space around values removed, empty values null, and `line`.

    Raises `FileError`.
    """
    if not path.is_file():
        raise FileError(f"{path} is not a file: give the path of a CSV or Parquet file")
    try:
        frame, first = (_texts(pl.read_parquet(path)), 1) if _ends(path, _PARQUET) else (_csv(path), 2)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FileError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    texts = pl.all().str.strip_chars()
    cleaned = frame.select(pl.when(texts != "").then(texts).name.keep())
    return cleaned.drop(LINE, strict=False).with_row_index(LINE, offset=first)


def find(folder: Path, name: str) -> Path | None:
    """Return the file `name`.csv, `name`.csv.gz, `name`.parquet, … of a folder, if it has one."""
    endings = (*_CSV, *_PARQUET)
    return next((folder / (name + end) for end in endings if (folder / (name + end)).is_file()), None)


def require(frame: pl.DataFrame, path: Path, what: str, *alternatives: Iterable[str]) -> None:
    """Raise `ColumnError` unless the frame has one column of each group of alternatives."""
    there = [name for name in frame.columns if name != LINE]
    for group in alternatives:
        names = list(group)
        if not set(names) & set(there):
            raise ColumnError(
                f"{path}: {what} needs a column `{'` or `'.join(names)}`; it has {', '.join(there) or 'none'}"
            )


def _csv(path: Path) -> pl.DataFrame:
    if not _ends(path, _CSV):
        raise FileError(f"{path} is neither CSV nor Parquet: its name should end in {', '.join(_CSV + _PARQUET)}")
    separator = "\t" if ".tsv" in path.name else ","
    try:
        return pl.read_csv(path, infer_schema=False, separator=separator)
    except pl.exceptions.NoDataError as error:
        raise FileError(f"{path} is empty: the first line should name the columns") from error
    except pl.exceptions.ComputeError as error:
        if "utf-8" not in str(error).lower() and "utf8" not in str(error).lower():
            raise
    # Spreadsheets on Windows still write this.
    return pl.read_csv(path, infer_schema=False, separator=separator, encoding="windows-1252")


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


def _ends(path: Path, endings: tuple[str, ...]) -> bool:
    return path.name.lower().endswith(endings)
