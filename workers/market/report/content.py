"""What a report says: the rows of one version, and when it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from storage.market.results import Results


class Content(NamedTuple):
    """One version of the analysis: the newest purchase that it saw, when it was made, its currency, notes, and rows."""

    through: datetime
    analysed_at: datetime
    currency: str | None
    notes: Sequence[str]
    rows: Results

    def of(self, name: str, **where: object) -> list[Any]:
        """Return the rows of an analysis whose fields have these values."""
        rows: Sequence[Any] = self.rows.get(name, ())
        return [row for row in rows if all(getattr(row, field) == value for field, value in where.items())]
