"""Lines to records: each line fits the header, or is left out under a reason, with its place in the file.

Three ways lead to the same rows, and are taken by what a block of lines holds: columns cut at once where there is no
quote, the csv module where every line is one record, and else record by record. A quote that does not fit costs its
line alone: the lines after it are read anew.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from workers.load.tabular.decoding import DAMAGE
from workers.load.tabular.dialect import Dialect

LINE = "line"
"""The column with each row's place: the line of a CSV on which it begins, its row in Parquet; from 1."""

_BLOCK = 1 << 20
_MOST_LINES = 1_000
_MOST_CHARS = 1 << 20
_EXAMPLE = 100


class Bad(NamedTuple):
    """A line that is no record."""

    line: int
    reason: str
    example: str


class Shape(NamedTuple):
    """How many fields a record has, how many it needs, and the positions of those that are wanted."""

    width: int
    least: int
    wanted: tuple[int, ...]

    def fitted(self, fields: list[str]) -> list[str] | str:
        """Return the fields, padded or cut to the width where only empty ones are concerned, or why they do not fit."""
        if len(fields) == self.width:
            return fields
        if len(fields) > self.width and any(field.strip() for field in fields[self.width :]):
            return "too many fields"
        if len(fields) < self.least:
            return "too few fields"
        return fields[: self.width] + [""] * (self.width - len(fields))


class Piece(NamedTuple):
    """Some records of a file: the wanted fields, named by their position, with `line`; and the lines that are none."""

    frame: pl.DataFrame
    bad: list[Bad]


def pieces(
    stream: io.TextIOBase, dialect: Dialect, shape: Shape, *, line: int, damage: str = DAMAGE
) -> Iterator[Piece]:
    """Yield the records of a text whose next line is number `line`; `damage` matches damaged characters."""
    damaged = re.compile(damage)
    lines = _Lines(stream, line)
    while block := lines.block():
        first, text = lines.number - len(block), "".join(block)
        if not dialect.has_marks(text):
            found = _plain(block, dialect, shape, first)
        else:
            found = _quoted(block, dialect, shape, first) or careful(lines, block, dialect, shape)
        yield _without_damage(found, shape, damaged) if damaged.search(text) else found


class _Lines:
    """The lines of a text, which may be given back; `number` is that of the next one."""

    def __init__(self, stream: io.TextIOBase, number: int) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self.number = number

    def block(self) -> list[str]:
        found = list(self._waiting) or self._stream.readlines(_BLOCK)
        self._waiting.clear()
        self.number += len(found)
        return found

    def pull(self) -> str | None:
        if not self._waiting:
            self._waiting.extend(self._stream.readlines(_BLOCK))
        if not self._waiting:
            return None
        self.number += 1
        return self._waiting.popleft()

    def give_back(self, lines: Sequence[str]) -> None:
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)


def _plain(block: list[str], dialect: Dialect, shape: Shape, first: int) -> Piece:
    """Cut all lines at once: none has a quote."""
    texts = pl.Series(block, dtype=pl.String).str.strip_chars_end("\r\n")
    fits = texts.str.count_matches(dialect.separator, literal=True) == shape.width - 1
    if shape.width == 1:
        fits &= texts.str.strip_chars() != ""
    if fits.all():
        return Piece(_cut(texts, dialect, shape, pl.int_range(first, first + len(block), eager=True)), [])
    places = fits.arg_true()
    regular = _cut(texts.filter(fits), dialect, shape, places.cast(pl.Int64) + first)
    others = [(first + place, texts[place].split(dialect.separator)) for place in (~fits).arg_true().to_list()]
    rest = _judged(others, block, first, shape)
    return Piece(pl.concat([regular, rest.frame]).sort(LINE), rest.bad)


def _cut(texts: pl.Series, dialect: Dialect, shape: Shape, places: pl.Series) -> pl.DataFrame:
    fields = texts.str.split_exact(dialect.separator, shape.width - 1).struct.unnest()
    names = fields.columns
    wanted = [pl.col(names[place]).alias(str(place)) for place in shape.wanted]
    return fields.select(places.alias(LINE), *wanted)


def _quoted(block: list[str], dialect: Dialect, shape: Shape, first: int) -> Piece | None:
    """Read all lines by the csv module; None where one of them is no record of its own."""
    try:
        records = list(dialect.reader(iter(block)))
    except csv.Error:
        return None
    if len(records) != len(block):
        return None
    return _judged(list(enumerate(records, first)), block, first, shape)


def careful(lines: _Lines, block: list[str], dialect: Dialect, shape: Shape) -> Piece:
    """Read record by record. The last one may need lines after the block; what is left of those waits."""
    first = lines.number - len(block)
    end = lines.number
    lines.give_back(block)
    records: list[tuple[int, list[str]]] = []
    bad: list[Bad] = []
    while lines.number < end:
        number, found = lines.number, _record(lines, dialect, shape)
        if isinstance(found, Bad):
            bad.append(found)
        else:
            records.append((number, found))
    judged = _judged(records, block, first, shape)
    return Piece(judged.frame, sorted([*bad, *judged.bad]))


def _record(lines: _Lines, dialect: Dialect, shape: Shape) -> list[str] | Bad:
    """Return the next record, and take its lines; of one that cannot be read, take the first line alone."""
    number, taken = lines.number, list[str]()
    if (first := lines.pull()) is not None and (cut := dialect.cut(first)) is not None:
        return cut
    lines.give_back([first] if first is not None else [])
    try:
        fields = next(dialect.reader(_feed(lines, taken)), [])
    except csv.Error:
        fields = None
    if fields is not None and (len(taken) == 1 or _goes_on(fields, taken, dialect, shape)):
        return fields
    lines.give_back(taken[1:])
    return Bad(number, "stray quote", _shown(taken[0]))


def _feed(lines: _Lines, taken: list[str]) -> Iterator[str]:
    chars = 0
    while len(taken) < _MOST_LINES and chars < _MOST_CHARS and (line := lines.pull()) is not None:
        taken.append(line)
        chars += len(line)
        yield line


def _goes_on(fields: list[str], taken: list[str], dialect: Dialect, shape: Shape) -> bool:
    """Return whether lines are one record with a line break inside quotes, and no lines of which one lost a quote."""
    if isinstance(shape.fitted(fields), str):
        return False
    # Where quotes also stand inside fields, lines that are whole without one are records: then the first one is bad.
    whole = [line.count(dialect.separator) == shape.width - 1 for line in taken]
    return dialect.is_strict or not (whole[0] and any(whole[1:]))


def _judged(records: list[tuple[int, list[str]]], block: list[str], first: int, shape: Shape) -> Piece:
    good: list[tuple[int, list[str]]] = []
    bad: list[Bad] = []
    for number, fields in records:
        if len(fields) == 0 or (len(fields) == 1 and not fields[0].strip()):
            continue  # an empty line
        fitted = shape.fitted(fields)
        if isinstance(fitted, str):
            bad.append(Bad(number, fitted, _example(number, fields, block, first)))
        else:
            good.append((number, fitted))
    columns: dict[str, pl.Series] = {LINE: pl.Series([number for number, _ in good], dtype=pl.Int64)}
    columns |= {str(place): pl.Series([row[place] for _, row in good], dtype=pl.String) for place in shape.wanted}
    return Piece(pl.DataFrame(columns), bad)


def _example(number: int, fields: list[str], block: list[str], first: int) -> str:
    place = number - first
    return _shown(block[place] if place < len(block) else " ".join(fields))


def _without_damage(found: Piece, shape: Shape, damaged: re.Pattern[str]) -> Piece:
    """Leave out the records with a damaged character in a wanted field."""
    if not shape.wanted:
        return found
    names = [str(place) for place in shape.wanted]
    is_damaged = pl.any_horizontal(pl.col(names).str.contains(damaged.pattern))
    rows = found.frame.filter(is_damaged)
    texts = [next(text for text in row if text and damaged.search(text)) for row in rows.select(names).iter_rows()]
    bad = [Bad(line, "damaged character", _shown(text)) for line, text in zip(rows[LINE], texts, strict=True)]
    return Piece(found.frame.filter(~is_damaged), sorted([*found.bad, *bad]))


def _shown(text: str) -> str:
    cut = text.strip().replace(DAMAGE, "\ufffd")
    return cut if len(cut) <= _EXAMPLE else cut[:_EXAMPLE] + "…"
