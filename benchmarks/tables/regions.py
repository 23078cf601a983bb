"""The marked regions of pages: `<!-- table: NAME -->` to `<!-- end -->`, filled with the table of that name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.tables.table import Table, TableError

ROOT = Path(__file__).parents[2]
FIX = "run `python -m benchmarks.tables`"

_BEGIN = re.compile(r"^<!-- table: (.*?) -->$", re.MULTILINE)
_REGION = re.compile(r"^<!-- table: (\S+) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages that may have regions: all documents, and the README."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def names(text: str) -> list[str]:
    """Return the names of the regions of a page, in order. Raises `TableError` for one that has no end."""
    found = [name for name, _ in _REGION.findall(text)]
    begun: list[str] = _BEGIN.findall(text)
    if begun != found:
        raise TableError(f"regions begin with {begun} and only {found} end: each needs a line `<!-- end -->`")
    return found


def filled(text: str, page: Path, tables: Mapping[str, Table]) -> str:
    """Return the text of a page with every region as its table is now. Raises `TableError`."""
    for name in names(text):
        if name not in tables:
            raise TableError(f"{page.name}: no table {name!r} is declared in benchmarks/tables")
    return _REGION.sub(lambda found: _region(found[1], page, tables), text)


def _region(name: str, page: Path, tables: Mapping[str, Table]) -> str:
    return f"<!-- table: {name} -->\n{tables[name].markdown(page)}<!-- end -->"


def stale(tables: Mapping[str, Table], found: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each page with a region that differs from its table, and the page's text as it should be."""
    for page in found:
        text = page.read_text("utf-8")
        new = filled(text, page, tables)
        if new != text:
            yield page, new


def unused(tables: Mapping[str, Table], found: Iterable[Path]) -> set[str]:
    """Return the tables that no page shows."""
    return set(tables) - {name for page in found for name in names(page.read_text("utf-8"))}
