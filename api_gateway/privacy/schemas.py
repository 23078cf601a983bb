"""Receipts of erasures as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Row


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How far an erasure is. It names nobody."""

    receipt: str
    state: Literal["running", "done"]
    asked_at: datetime
    done_at: datetime | None
    deleted: Annotated[dict[str, int], msgspec.Meta(description="Deleted rows, by table.")]


def receipt_of(row: Row[Any]) -> Receipt:
    """Return a row of the table as it is answered."""
    state: Literal["running", "done"] = "running" if row.done_at is None else "done"
    return Receipt(receipt=row.receipt, state=state, asked_at=row.asked_at, done_at=row.done_at, deleted=row.deleted)
