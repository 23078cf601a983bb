"""The answer to a batch of rows."""

from __future__ import annotations

from typing import Annotated

import msgspec


class Rejected(msgspec.Struct, frozen=True):
    """Why one row was rejected."""

    index: Annotated[int, msgspec.Meta(description="Index in the batch, from 0.")]
    id: Annotated[str | None, msgspec.Meta(description="The row's own id, if it has one.")]
    field: Annotated[str, msgspec.Meta(description="What is wrong, as a path; `row` for the row itself.")]
    error: str


class Taken(msgspec.Struct, frozen=True):
    """The result of a batch. Rows that are written are committed."""

    written: int
    duplicates: Annotated[int, msgspec.Meta(description="Rows whose id was written before; they change nothing.")]
    rejected: Annotated[list[Rejected], msgspec.Meta(description="One entry for every row that was rejected.")]
