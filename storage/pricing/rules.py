"""Price rules, and the stop of all changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.json import ascii_text

_EVERY = text("SELECT scope, name, rules, updated_at, updated_by FROM price_rules ORDER BY scope, name")
_PUT = text("""
INSERT INTO price_rules (scope, name, rules, updated_by) VALUES (:scope, :name, CAST(:rules AS jsonb), :by)
ON CONFLICT (scope, name) DO UPDATE SET rules = excluded.rules, updated_at = now(), updated_by = excluded.updated_by
""")
_DROP = text("DELETE FROM price_rules WHERE scope = :scope AND name = :name RETURNING scope")
_FREEZE = text("""
INSERT INTO price_rules AS r (scope, name, rules, updated_by) VALUES (:scope, :name, '{"frozen": true}', :by)
ON CONFLICT (scope, name) DO UPDATE SET rules = r.rules || excluded.rules, updated_at = now(),
    updated_by = excluded.updated_by
""")
_UNFREEZE = text("""
UPDATE price_rules SET rules = rules - 'frozen', updated_at = now(), updated_by = :by
WHERE scope = :scope AND name = :name AND rules @> '{"frozen": true}' RETURNING scope
""")
_DROP_EMPTY = text("DELETE FROM price_rules WHERE scope = :scope AND name = :name AND rules = '{}'")
_STOPPED = text("SELECT stopped FROM price_stop")
# Whoever stops waits for the changes that are being made, and none is made after it.
_STOPPED_NOW = text("SELECT stopped FROM price_stop FOR SHARE")
_STOP = text("""
INSERT INTO price_stop (stopped, changed_by) VALUES (:stopped, :by)
ON CONFLICT (singleton) DO UPDATE SET stopped = excluded.stopped, changed_at = now(), changed_by = excluded.changed_by
""")


def every(connection: Connection) -> Sequence[Row[Any]]:
    """Return all rules: scope, name, rules, updated_at, updated_by."""
    return connection.execute(_EVERY).all()


def put(connection: Connection, scope: str, name: str, rules: Mapping[str, Any], by: str) -> None:
    """Set the rules of a scope, in place of those before."""
    connection.execute(_PUT, {"scope": scope, "name": name, "rules": ascii_text(dict(rules)), "by": by})


def drop(connection: Connection, scope: str, name: str) -> bool:
    """Delete the rules of a scope; False if there were none."""
    return connection.execute(_DROP, {"scope": scope, "name": name}).scalar() is not None


def freeze(connection: Connection, scope: str, name: str, by: str) -> None:
    """Let no price of a scope change. Its other rules stay."""
    connection.execute(_FREEZE, {"scope": scope, "name": name, "by": by})


def unfreeze(connection: Connection, scope: str, name: str, by: str) -> bool:
    """Let its other rules hold again; False if the scope was not frozen."""
    where = {"scope": scope, "name": name}
    was = connection.execute(_UNFREEZE, where | {"by": by}).scalar() is not None
    if was:
        connection.execute(_DROP_EMPTY, where)
    return was


def is_stopped(connection: Connection, *, hold: bool = False) -> bool:
    """Return whether all changes are stopped; with `hold`, nobody changes that before this transaction ends."""
    return bool(connection.execute(_STOPPED_NOW if hold else _STOPPED).scalar())


def stop(connection: Connection, by: str, *, stopped: bool = True) -> None:
    """Stop all changes of prices, or resume them. Returns when those that were being made are done."""
    connection.execute(_STOP, {"stopped": stopped, "by": by})
