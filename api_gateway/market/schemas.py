"""What the routes of the market answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from storage.market.results import ANALYSES
from storage.market.versions import Version


class About(msgspec.Struct, frozen=True):
    """A version of the analysis."""

    version: int
    finished_at: Annotated[datetime, msgspec.Meta(description="When it was analysed.")]
    through: Annotated[datetime, msgspec.Meta(description="The time of the newest purchase that it saw.")]
    currency: Annotated[str | None, msgspec.Meta(description="Of all its money.")]
    notes: Annotated[list[str], msgspec.Meta(description="What is missing or weak, in words.")]


class Table(msgspec.Struct, frozen=True):
    """An analysis: its path, and its number of rows."""

    name: str
    path: str
    rows: int


class Overview(msgspec.Struct, frozen=True):
    """The newest version, and its analyses."""

    about: About
    tables: list[Table]


def about(version: Version) -> About:
    """Return what readers are told of a version."""
    return About(version.version, version.finished_at, version.through, version.currency, list(version.notes))


def _page(name: str) -> type[msgspec.Struct]:
    """Return the type of a page of an analysis' rows."""
    row = ANALYSES[name].row
    cursor = Annotated[str | None, msgspec.Meta(description="Of the next page; null after the last row.")]
    made: Any = msgspec.defstruct(
        f"{row.__name__}Page",
        [("about", About), ("rows", list[row]), ("next_cursor", cursor)],  # type: ignore[valid-type]  # by its name
        namespace={"__doc__": f"Rows of the market's {name}."},
        module=__name__,
        frozen=True,
    )
    return made  # type: ignore[no-any-return]


PAGES = {name: _page(name) for name in ANALYSES}
"""The answer of each analysis."""
