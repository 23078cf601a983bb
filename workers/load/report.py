"""What a load did, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from workers.load.service import Loaded


def show(loaded: Sequence[Loaded], console: Console) -> None:
    """Print a table a file: every line kept or under one reason, and what became of the kept ones."""
    for one in loaded:
        reading = one.reading
        table = Table(title=f"{reading.path.name} ({reading.format})", title_justify="left", header_style="bold")
        table.add_column("lines")
        table.add_column("count", justify="right")
        table.add_column("first at line", justify="right")
        table.add_row("read", f"{reading.read:,}", "", style="bold")
        table.add_row("kept", f"{reading.kept:,}", "")
        for reason in reading.rejected:
            table.add_row(f"left out: {reason.reason}", f"{reason.lines:,}", f"{reason.first_line:,}")
        console.print(table)
        console.print(_written(one))
        for note in reading.notes:
            console.print(f"Note: {note}.", style="yellow")


def as_json(loaded: Sequence[Loaded], unlisted: int, seconds: float) -> dict[str, Any]:
    """Return the same as a JSON object."""
    return {"files": [_file(one) for one in loaded], "items_without_catalogue_row": unlisted, "seconds": seconds}


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
        "rejected": {reason.reason: reason.lines for reason in reading.rejected},
        "events": {"written": one.events.written, "duplicates": one.events.duplicates},
        "changes": {"written": one.changes.written, "duplicates": one.changes.duplicates},
        "notes": list(reading.notes),
    }
