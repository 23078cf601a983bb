"""The result of a load, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workers.load.reading import Reading, Rejected
from workers.load.service import Loaded

_MOST_PLACES = 3


def show(loaded: Sequence[Loaded], console: Console) -> None:
    """Print a table per file: every line kept or under one reason, and what was written of the kept ones."""
    for one in loaded:
        reading = one.reading
        console.print(escape(_title(reading)), style="bold", soft_wrap=True)
        table = Table(header_style="bold")
        table.add_column("lines")
        table.add_column("count", justify="right")
        table.add_column("first at line", justify="right")
        table.add_row("read", f"{reading.read:,}", "", style="bold")
        table.add_row("kept", f"{reading.kept:,}", "")
        for reason in reading.rejected:
            table.add_row(f"left out: {reason.reason}", f"{reason.lines:,}", _places(reason))
        console.print(table)
        for reason in reading.rejected:
            console.print(f"{reason.reason}, line {reason.first_line:,}: {escape(reason.example)}", style="dim")
        if one.is_written:
            console.print(_written(one))
        for note in reading.notes:
            console.print(f"Note: {escape(note)}.", style="yellow")


def as_json(loaded: Sequence[Loaded], unlisted: int, seconds: float) -> dict[str, Any]:
    """Return the same as a JSON object."""
    return {"files": [_file(one) for one in loaded], "items_without_catalogue_row": unlisted, "seconds": seconds}


def rejections(rejected: Sequence[Rejected]) -> list[dict[str, Any]]:
    """Return why lines were left out: how many, where the first ones stand, and what the first one says."""
    return [
        {"reason": one.reason, "lines": one.lines, "first_lines": list(one.places), "example": one.example}
        for one in rejected
    ]


def _title(reading: Reading) -> str:
    separator = reading.separator and f"{reading.separator} between"
    return f"{reading.path.name} ({', '.join(filter(None, (reading.format, reading.encoding, separator)))})"


def _places(rejected: Rejected) -> str:
    more = ", …" if rejected.lines > _MOST_PLACES else ""
    return ", ".join(f"{place:,}" for place in rejected.places[:_MOST_PLACES]) + more


def _written(one: Loaded) -> str:
    doors = (
        ("events", one.reading.events.height, one.events),
        ("catalogue changes", len(one.reading.changes), one.changes),
    )
    parts = [
        f"{counts.written:,} {what} written, {counts.duplicates:,} were there already" for what, n, counts in doors if n
    ]
    return "; ".join(parts) or "nothing to write"


def _file(one: Loaded) -> dict[str, Any]:
    reading = one.reading
    return {
        "path": str(reading.path),
        "format": reading.format,
        "read": reading.read,
        "kept": reading.kept,
        "encoding": reading.encoding,
        "separator": reading.separator,
        "rejected": {reason.reason: reason.lines for reason in reading.rejected},
        "reasons": rejections(reading.rejected),
        "events": {"written": one.events.written, "duplicates": one.events.duplicates},
        "changes": {"written": one.changes.written, "duplicates": one.changes.duplicates},
        "notes": list(reading.notes),
    }
