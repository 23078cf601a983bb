"""Keys and the audit trail as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import Row


class KeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    key_id: Annotated[str, msgspec.Meta(description="The second part of the key's text, by which it is found.")]
    name: str
    owner: str
    scopes: list[str]
    rate: Annotated[float | None, msgspec.Meta(description="Most requests in a second.")]
    daily: Annotated[int | None, msgspec.Meta(description="Most requests in a day (UTC).")]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: Annotated[datetime | None, msgspec.Meta(description="To the minute.")]


class KeysShown(msgspec.Struct, frozen=True):
    """All keys, the newest first."""

    keys: list[KeyShown]


class KeyMade(msgspec.Struct, frozen=True):
    """A new key, and its text, which is shown this once."""

    secret: str
    key: KeyShown


class Rotating(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long the old key stays valid."""

    overlap_hours: Annotated[float, msgspec.Meta(ge=0, le=24 * 90)] = 24.0


class AuditLine(msgspec.Struct, frozen=True):
    """Who did what. `actor` is the key's name, whatever the request said; `detail` may hold what it said."""

    id: int
    at: datetime
    actor: str
    key_id: str | None
    via: str
    action: str
    subject: str
    detail: dict[str, Any]


class AuditTrail(msgspec.Struct, frozen=True):
    """Lines, the newest first."""

    lines: list[AuditLine]


def shown(row: Row[Any]) -> KeyShown:
    """Return a row of the table as it is answered."""
    return KeyShown(**{name: getattr(row, name) for name in KeyShown.__struct_fields__})


def line(row: Row[Any]) -> AuditLine:
    """Return a row of the audit trail as it is answered."""
    return AuditLine(**row._mapping)
