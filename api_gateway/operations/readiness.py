"""Readiness: whether this gateway can serve now."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Annotated

import asyncpg
import msgspec
from redis import asyncio as redis
from redis.exceptions import RedisError

from api_gateway import database
from api_gateway.operations.progress import STANDSTILL_SECONDS, Progress
from api_gateway.services import Services

_BROKER_SECONDS = 1.0
_DATABASE_SECONDS = 3.0
_APPLIED = "SELECT array_agg(version_num) FROM alembic_version"


class Check(msgspec.Struct, frozen=True):
    """The state of one part."""

    ok: bool
    required: bool
    detail: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether every required part is ready."""

    ready: bool
    checks: Annotated[dict[str, Check], msgspec.Meta(description="`database`, `schema`, `broker` and `ranking`.")]


async def check(services: Services) -> Readiness:
    """Return the state of the parts. A broker is not required: without one the rows wait."""
    (reached, schema), broker = await asyncio.gather(_database(services), _broker(services.settings.broker_url))
    checks = {"database": reached, "schema": schema, "broker": broker}
    if reached.ok and schema.ok:
        checks["ranking"] = await _ranking(services.progress)
    return Readiness(all(one.ok for one in checks.values() if one.required), checks)


async def _database(services: Services) -> tuple[Check, Check]:
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            applied = await database.read(services.pool, lambda connection: connection.fetchval(_APPLIED))
    except asyncpg.UndefinedTableError:
        return Check(True, True, "answers"), Check(False, True, "never migrated: run `reshelf migrate`")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Check(False, True, f"does not answer ({type(error).__name__})"), Check(False, True, "not known")
    return Check(True, True, "answers"), _schema(set(applied or ()))


async def _ranking(progress: Progress) -> Check:
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            seconds = await progress.standstill()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Check(False, True, f"not known ({type(error).__name__})")
    if seconds < STANDSTILL_SECONDS:
        return Check(True, True, "shelves follow")
    return Check(False, True, f"shoppers wait, and no shelf was written for {seconds:.0f} s: see worker-recommend")


def _schema(applied: set[str]) -> Check:
    """Count a database that is ahead of this code as ready: that is its state while a new version is rolled out."""
    known, heads = _revisions()
    if heads <= applied or applied - known:
        return Check(True, True, "migrated")
    return Check(False, True, "not migrated to this version: run `reshelf migrate`")


@cache
def _revisions() -> tuple[set[str], set[str]]:
    """Return every revision that this code knows, and the newest ones."""
    from storage import migrate  # imports much that no other request needs

    scripts = migrate.scripts()
    return {script.revision for script in scripts.walk_revisions()}, set(scripts.get_heads())


async def _broker(broker_url: str | None) -> Check:
    if broker_url is None:
        return Check(False, False, "not configured: nothing rings the workers but their own clock")
    client = redis.from_url(broker_url, socket_timeout=_BROKER_SECONDS, socket_connect_timeout=_BROKER_SECONDS)
    try:
        await client.ping()
    except (RedisError, OSError, TimeoutError) as error:
        return Check(False, False, f"does not answer ({type(error).__name__}); rows wait until it is back")
    finally:
        await client.aclose()
    return Check(True, False, "answers")
