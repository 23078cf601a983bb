"""What a report says: the rows of one version, and when it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from storage.market.results import Results


class Repricing(NamedTuple):
    """A proposed price that waits: what it is best for, and how much more of that a week brings, as a share.

    `chance`: that it is better than the present price. `bitten`: the guardrails that kept it from a better one.
    """

    item_id: str
    title: str
    price: float
    proposed: float
    objective: str
    gain: float | None
    chance: float | None
    bitten: Sequence[str]
    is_approved: bool


class Content(NamedTuple):
    """One version of the analysis: the newest purchase that it saw, when it was made, its currency, notes, and rows."""

    through: datetime
    analysed_at: datetime
    currency: str | None
    notes: Sequence[str]
    rows: Results
    repricings: Sequence[Repricing] = ()

    def of(self, name: str, **where: object) -> list[Any]:
        """Return the rows of an analysis whose fields have these values."""
        rows: Sequence[Any] = self.rows.get(name, ())
        return [row for row in rows if all(getattr(row, field) == value for field, value in where.items())]
