"""The audit trail: who changed a key or decided something. The database lets rows be added, and refuses the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

_RECORD = text("""
INSERT INTO audit_log (actor, key_id, via, action, subject, detail)
VALUES (:actor, :key_id, :via, :action, :subject, CAST(:detail AS jsonb))
""")
_RECENT = text("""
SELECT id, at, actor, key_id, via, action, subject, detail FROM audit_log
WHERE CAST(:before AS bigint) IS NULL OR id < :before ORDER BY id DESC LIMIT :most
""")


@dataclass(frozen=True)
class Actor:
    """Who did it: the name and id of the key over HTTP (`via` is `http`), the user of the machine by a command."""

    name: str
    key_id: str | None = None
    via: str = "http"


def record(connection: Connection, by: Actor, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add a line, in the transaction of what it tells of."""
    values = {"actor": by.name, "key_id": by.key_id, "via": by.via, "action": action, "subject": subject}
    connection.execute(_RECORD, {**values, "detail": ascii_text(dict(detail))})


def recent(connection: Connection, *, before: int | None = None, most: int = 100) -> Sequence[Row[Any]]:
    """Return the last lines, the newest first; only those older than line `before` if one is given."""
    return connection.execute(_RECENT, {"before": before, "most": most}).all()
