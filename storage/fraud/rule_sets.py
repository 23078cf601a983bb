"""Rule sets, and the active one: that of the newest activation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

ACTIVE = """
SELECT a.version, s.content FROM rule_activations AS a JOIN rule_sets AS s USING (version) ORDER BY a.id DESC LIMIT 1
"""
"""Selects the active rule set, for asyncpg; no row before the first activation."""
KEEP_ONE = """
INSERT INTO rule_sets (version, content) VALUES ($1, CAST($2::text AS jsonb)) ON CONFLICT (version) DO NOTHING
"""
"""Stores a rule set, for asyncpg."""

_ACTIVE = text(ACTIVE)
_NAMED = text("SELECT content FROM rule_sets WHERE version = :version")
_KEEP = text("""
INSERT INTO rule_sets (version, content) VALUES (:version, CAST(:content AS jsonb)) ON CONFLICT (version) DO NOTHING
""")
_ACTIVATE = text("INSERT INTO rule_activations (version) VALUES (:version)")
_HISTORY = text("SELECT id, version, at FROM rule_activations ORDER BY id DESC")


def active(connection: Connection) -> Row[Any] | None:
    """Return `version` and `content` of the active rule set, None before the first activation."""
    return connection.execute(_ACTIVE).one_or_none()


def named(connection: Connection, version: str) -> Mapping[str, Any] | None:
    """Return the content of a rule set, None if there is no such version."""
    content: Mapping[str, Any] | None = connection.execute(_NAMED, {"version": version}).scalar()
    return content


def keep(connection: Connection, version: str, content: Mapping[str, Any]) -> None:
    """Store a rule set; its version is a hash of its content, so an existing one stays."""
    connection.execute(_KEEP, {"version": version, "content": ascii_text(dict(content))})


def activate(connection: Connection, version: str) -> None:
    """Make a stored rule set the active one."""
    connection.execute(_ACTIVATE, {"version": version})


def history(connection: Connection) -> Sequence[Row[Any]]:
    """Return the activations, the newest first."""
    return connection.execute(_HISTORY).all()
