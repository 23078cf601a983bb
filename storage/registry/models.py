"""Model versions: how each was made and how good it is, and the one pointer that names the live version."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.tables import live_models, model_switches, model_versions

RECOMMEND = "recommend"
SEARCH = "search"
FRAUD = "fraud"
CAPABILITIES = (RECOMMEND, SEARCH, FRAUD)

FULL, INCREMENTAL = "full", "incremental"
"""How a version was made: trained from scratch, or from the version that was live."""

PUBLISHED, PROMOTED, FORCED, ROLLED_BACK = "published", "promoted", "forced", "rolled back"
"""Why the pointer was switched."""

_VERSION = re.compile(r"^(?P<capability>[a-z_]+)-\d{8}T\d{6}-[0-9a-f]{6}$")


class UnknownVersion(LookupError):
    """No such version is registered, or its weights were deleted; the message lists the available versions."""


@dataclass(frozen=True)
class Live:
    """The live version, since when it is live, and the time up to which it was trained on events (None: not known)."""

    version: str
    switched_at: datetime
    learnt_through: datetime | None


def version_name(capability: str, at: datetime, digest: str) -> str:
    """Return a new version's name, such as `recommend-20260101T120000-ab12cd`; `at` is in UTC."""
    return f"{capability}-{at:%Y%m%dT%H%M%S}-{digest[:6]}"


def register(
    connection: Connection,
    version: str,
    *,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    how: str = FULL,
    parent: str | None = None,
    learnt_from: datetime | None = None,
    learnt_through: datetime | None = None,
    code: str | None = None,
    digest: str | None = None,
    gate: Mapping[str, Any] | None = None,
) -> None:
    """Store a trained version: how it was made, from which events, by which code, and the result of the gate.

    `digest` is the hash of its content. It does not serve before `switch`.
    """
    named = _VERSION.match(version)
    if named is None:
        raise ValueError(f"{version!r} is no version name; make one with `version_name`")
    row: dict[str, Any] = {"version": version, "capability": named["capability"], "how": how, "parent": parent}
    row |= {"learnt_from": learnt_from, "learnt_through": learnt_through, "code": code, "digest": digest}
    row |= {"config": dict(config), "metrics": dict(metrics), "gate": None if gate is None else dict(gate)}
    connection.execute(insert(model_versions), row)


def switch(connection: Connection, version: str, *, why: str = PUBLISHED) -> str | None:
    """Make `version` live and log it; return the version that was live before. Raises `UnknownVersion`.

    The counts of a recommender (`storage.recommend.transitions`) have to be cleared in the same transaction, after
    this.
    """
    capability = version.partition("-")[0]
    # Locked before the version is read: deleting old versions holds the pointer too.
    before = locked(connection, capability)
    get(connection, version)
    row = upsert(live_models).values(capability=capability, version=version)
    connection.execute(
        row.on_conflict_do_update(index_elements=["capability"], set_={"version": version, "switched_at": func.now()})
    )
    if before != version:
        note = {"capability": capability, "version": version, "previous": before, "why": why}
        connection.execute(insert(model_switches), note)
    return before


def locked(connection: Connection, capability: str = RECOMMEND, *, share: bool = False) -> str | None:
    """Return the live version and block switches until this transaction ends; `share` still allows others to `hold`."""
    query = select(live_models.c.version).where(live_models.c.capability == capability)
    return connection.execute(query.with_for_update(read=share)).scalar()


def get(connection: Connection, version: str) -> Row[Any]:
    """Return the columns of a version that can serve. Raises `UnknownVersion`."""
    row = connection.execute(select(model_versions).where(model_versions.c.version == version)).one_or_none()
    if row is None or row.forgotten_at is not None:
        known = ", ".join(other.version for other in versions(connection) if other.forgotten_at is None) or "none"
        gone = f"no model version {version!r}" if row is None else f"the weights of {version} were deleted"
        raise UnknownVersion(f"{gone}; registered are: {known}")
    return row


def live(connection: Connection, capability: str = RECOMMEND) -> Row[Any] | None:
    """Return the live version (the columns of `model_versions`, and `switched_at`), None before the first."""
    query: Select[Any] = (
        select(*model_versions.c, live_models.c.switched_at)
        .join(live_models, live_models.c.version == model_versions.c.version)
        .where(live_models.c.capability == capability)
    )
    return connection.execute(query).one_or_none()


def hold(connection: Connection, version: str) -> Live | None:
    """Keep `version` live until this transaction ends; None if it is not live, or is being switched now.

    Never waits. A switch waits for the transactions that hold.
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


def served_before(connection: Connection, version: str) -> str | None:
    """Return the version that `version` replaced when it was last published or promoted; None if there was none.

    A rollback does not count, so that a second rollback goes one version further back instead of forward again.
    """
    query = (
        select(model_switches.c.previous)
        .where(model_switches.c.version == version, model_switches.c.why != ROLLED_BACK)
        .order_by(model_switches.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def switches(connection: Connection, capability: str = RECOMMEND) -> Sequence[Row[Any]]:
    """Return the history of the pointer, the newest switch first."""
    query = select(model_switches).where(model_switches.c.capability == capability)
    return connection.execute(query.order_by(model_switches.c.id.desc())).all()


def forget(connection: Connection, version: str) -> None:
    """Note that the weights of a version were deleted; its row stays."""
    gone = update(model_versions).where(model_versions.c.version == version)
    connection.execute(gone.values(forgotten_at=func.now()))
