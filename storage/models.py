"""Model versions: what was trained, with its metrics, and the one pointer that says which version serves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.tables import live_models, model_versions

RECOMMEND = "recommend"

_VERSION = re.compile(r"^(?P<capability>[a-z_]+)-\d{8}T\d{6}-[0-9a-f]{6}$")


class UnknownVersion(LookupError):
    """No such version is registered; names those that are."""


@dataclass(frozen=True)
class Live:
    """The version that serves, since when, and up to when its training knew the events (None: nobody noted it)."""

    version: str
    switched_at: datetime
    learnt_through: datetime | None


def version_name(capability: str, at: datetime, digest: str) -> str:
    """Return a fresh version's name, such as `recommend-20260101T120000-ab12cd`; `at` is in UTC."""
    return f"{capability}-{at:%Y%m%dT%H%M%S}-{digest[:6]}"


def register(
    connection: Connection,
    version: str,
    *,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    parent: str | None = None,
    learnt_through: datetime | None = None,
) -> None:
    """Keep a trained version. It does not serve before `switch`."""
    named = _VERSION.match(version)
    if named is None:
        raise ValueError(f"{version!r} is no version name; make one with `version_name`")
    row: dict[str, Any] = {"version": version, "capability": named["capability"], "parent": parent}
    row |= {"config": dict(config), "metrics": dict(metrics), "learnt_through": learnt_through}
    connection.execute(insert(model_versions), row)


def switch(connection: Connection, version: str) -> str | None:
    """Let `version` serve; return the one that served before. Switching back is the rollback.

    What was counted for a recommender (`storage.transitions`) has to be cleared in the same transaction, after this.
    Raises `UnknownVersion`.
    """
    row = connection.execute(select(model_versions).where(model_versions.c.version == version)).one_or_none()
    if row is None:
        known = ", ".join(other.version for other in versions(connection)) or "none"
        raise UnknownVersion(f"no model version {version!r}; registered are: {known}")
    before = live(connection, row.capability)
    pointer = upsert(live_models).values(capability=row.capability, version=version)
    connection.execute(
        pointer.on_conflict_do_update(
            index_elements=["capability"], set_={"version": version, "switched_at": func.now()}
        )
    )
    return before.version if before is not None else None


def live(connection: Connection, capability: str = RECOMMEND) -> Row[Any] | None:
    """Return the version that serves (the columns of `model_versions`, and `switched_at`), None before the first."""
    query: Select[Any] = (
        select(*model_versions.c, live_models.c.switched_at)
        .join(live_models, live_models.c.version == model_versions.c.version)
        .where(live_models.c.capability == capability)
    )
    return connection.execute(query).one_or_none()


def hold(connection: Connection, version: str) -> Live | None:
    """Keep `version` serving until this transaction ends; None if it does not serve, or is being switched just now.

    Waits for nobody. A switch waits for those who hold.
    """
    query = (
        select(live_models.c.version, live_models.c.switched_at, model_versions.c.learnt_through)
        .join(model_versions, live_models.c.version == model_versions.c.version)
        .where(live_models.c.version == version)
        .with_for_update(read=True, of=live_models, skip_locked=True)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Live(row.version, row.switched_at, row.learnt_through)


def versions(connection: Connection, capability: str | None = None) -> Sequence[Row[Any]]:
    """Return the registered versions, the newest first."""
    query = select(model_versions).order_by(model_versions.c.created_at.desc(), model_versions.c.version.desc())
    if capability is not None:
        query = query.where(model_versions.c.capability == capability)
    return connection.execute(query).all()
