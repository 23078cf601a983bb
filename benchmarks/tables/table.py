"""One table, declared: which file its figures are from, and where in it each of them stands."""

from __future__ import annotations

import decimal
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"
NOTHING = "–"
"""What stands for a figure that was not measured (null in the file)."""

_PERCENT = re.compile(r"(\d)%")
_FIGURE = re.compile(r"\{([^{}|]+)\|([^{}]*)\}")

Value = Callable[[str], Any]
"""Looks a path up, from where the row begins; one that starts with a slash begins at the top of the file."""
Cell = str | Callable[[Value], str]
"""Text with figures as `{path|format}`, the format being Python's, or a function for what has to be computed."""


class TableError(ValueError):
    """A declaration or a region does not fit the files; the message says which one, and what to do."""


@dataclass(frozen=True)
class Row:
    """A line: its label, where in the file it begins, its file and its cells where they are not the table's."""

    label: str
    at: str = ""
    file: str | None = None
    cells: Sequence[Cell] | None = None


@dataclass(frozen=True)
class Table:
    """A table by name: its result file (without `.json`), the titles of its columns, their cells, and its rows.

    The first title is that of the labels, so there is one more of them than there are cells.
    """

    name: str
    file: str
    titles: Sequence[str]
    rows: Sequence[Row]
    cells: Sequence[Cell] = ()

    def files(self) -> list[str]:
        """Return the result files that the table reads, each once."""
        return list(dict.fromkeys(row.file or self.file for row in self.rows))

    def markdown(self, page: Path) -> str:
        """Return the table, and under it where its figures are from, for a page in the folder of `page`.

        Raises `TableError` where a path is not in the file, or a row has too many or too few cells.
        """
        lines = [self.titles, ["---"] * len(self.titles), *(self._line(row) for row in self.rows)]
        table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        return f"{table}\nFrom {', '.join(_source(file, page) for file in self.files())}.\n"

    def _line(self, row: Row) -> list[str]:
        cells = self.cells if row.cells is None else row.cells
        if len(cells) != len(self.titles) - 1:
            raise TableError(f"table {self.name}, row {row.label!r}: {len(cells)} cells, {len(self.titles)} titles")
        file = row.file or self.file

        def value(path: str) -> Any:
            return _lookup(file, path[1:] if path.startswith("/") else f"{row.at}/{path}")

        texts = (cell(value) if callable(cell) else _filled(cell, value) for cell in cells)
        return [row.label, *(_PERCENT.sub(r"\1 %", text) for text in texts)]


def _filled(text: str, value: Value) -> str:
    return _FIGURE.sub(lambda found: _formatted(value(found[1]), found[2]), text)


def _formatted(figure: Any, form: str) -> str:
    if figure is None:
        return NOTHING
    if not isinstance(figure, float):
        return format(figure, form)
    # Of the digits that the file has: the float nearest to 1.315 lies below it, and would be rounded down.
    with decimal.localcontext(rounding=decimal.ROUND_HALF_UP):
        return format(decimal.Decimal(repr(figure)), form)


def _lookup(file: str, path: str) -> Any:
    node = read(file)
    for key in filter(None, path.split("/")):
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise TableError(f"{file}.json has no {path!r}: {key!r} is not there") from error
    return node


@cache
def read(file: str) -> Any:
    """Return the content of a result file."""
    try:
        return json.loads((RESULTS / f"{file}.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise TableError(f"benchmarks/results/{file}.json is not there") from error


def _source(file: str, page: Path) -> str:
    """Return where figures are from: the file as a link, and of machine and commit what it tells."""
    found = read(file)
    cores = f"{found['cores']} cores" if found.get("cores") else ""
    commit = f"commit {found['commit']}" if found.get("commit") else ""
    told = ", ".join(filter(None, [found.get("cpu", ""), cores, commit]))
    link = os.path.relpath(RESULTS / f"{file}.json", page.parent)
    return f"[{file}.json]({link})" + (f" ({told})" if told else "")
