"""The table of keys in memory, which follows the database: a request costs a hash and a look into a dictionary."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import asyncpg

from api_gateway import database
from api_gateway.background import periodic
from api_gateway.database import Connection, Pool
from api_gateway.keys.limits import Limits
from storage.keys import api_keys
from storage.keys.audit import Actor
from workers import exposure
from workers.keys import scopes
from workers.keys import secret as secrets
from workers.settings import Settings

log = logging.getLogger(__name__)

FOLLOWED_EVERY = 0.5
"""Seconds between two looks: a revoked key is refused within a second of the commit."""
_USE_WRITTEN_EVERY = 60.0
_NEVER = float("inf")
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(slots=True)
class Key:
    """A key that may be used until `expires_at` (unix seconds); `limits` is None without any."""

    name: str
    key_id: str | None
    scopes: frozenset[str]
    expires_at: float = _NEVER
    limits: Limits | None = None
    is_used: bool = field(default=False)

    def may(self, scope: str) -> bool:
        """Return whether the key has the scope; `admin` includes all."""
        return scope in self.scopes or scopes.ADMIN in self.scopes

    @property
    def actor(self) -> Actor:
        """Who the audit trail names."""
        return Actor(self.name, self.key_id)


NOBODY = Key("open:loopback", None, frozenset(scopes.ALL))
"""The caller where no key is asked for."""


class KeyTable:
    """All keys that may be used now: those of the settings, and those of the database as of a moment ago."""

    def __init__(self, settings: Settings) -> None:
        self._fixed = {secrets.digest(text): _of_setting(text) for text in exposure.api_keys(settings)}
        self._keys = self._fixed
        self._kept: list[Key] = []
        self._limits: dict[str, Limits] = {}
        self._share = max(settings.gateway_workers, 1)
        self._use_written = time.monotonic()
        self.is_known = False
        """Whether the keys of the database were read since the start."""

    def find(self, text: str) -> Key | None:
        """Return the key of this text, None for one that is unknown, revoked or expired."""
        key = self._keys.get(sha256(text.encode("utf-8", "surrogatepass")).digest())
        if key is None or key.expires_at <= time.time():
            return None
        key.is_used = True
        return key

    @asynccontextmanager
    async def kept_up(self, pool: Pool) -> AsyncIterator[None]:
        """Follow the database during the block, and write what was used."""

        async def look() -> None:
            await self._look(pool)

        await look()
        async with periodic.running(look, every=FOLLOWED_EVERY):
            yield
        self._use_written = -_NEVER
        await look()

    async def _look(self, pool: Pool) -> None:
        """Read the keys. If the database does not answer, the last ones stay."""
        try:
            await database.read(pool, self._follow)
        except _AWAY as error:
            log.debug("the database does not say which keys may be used: %s", error)

    async def _follow(self, connection: Connection) -> None:
        await self._write_use(connection)
        self._take(await connection.fetch(api_keys.ACTIVE))

    def _take(self, rows: Iterable[Any]) -> None:
        now, found = time.time(), {}
        limits: dict[str, Limits] = {}
        for row in rows:
            key = self._from_row(row, limits)
            found[row["digest"]] = key
            if key.limits is not None:
                key.limits.counted(row["used"], now)
        self._kept, self._limits = list(found.values()), limits
        self._keys = found | self._fixed
        self.is_known = True

    def _from_row(self, row: Any, limits: dict[str, Limits]) -> Key:
        expires_at = _NEVER if row["expires_at"] is None else row["expires_at"].timestamp()
        known = self._keys.get(row["digest"])
        is_used = known is not None and known.is_used
        of_name = self._limits_of(row, limits)
        return Key(row["name"], row["key_id"], frozenset(row["scopes"]), expires_at, of_name, is_used)

    def _limits_of(self, row: Any, limits: dict[str, Limits]) -> Limits | None:
        """Return the limits of the name, which go on while they are not changed; keys of one name share them."""
        if row["rate"] is None and row["daily"] is None:
            return None
        name, daily = row["name"], row["daily"]
        rate = None if row["rate"] is None else row["rate"] / self._share
        known = limits.get(name) or self._limits.get(name)
        is_same = known is not None and (known.rate, known.daily) == (rate, daily)
        limits[name] = known if known is not None and is_same else Limits(rate, daily)
        return limits[name]

    async def _write_use(self, connection: Connection) -> None:
        counts = {name: count for name, one in self._limits.items() if (count := one.taken())}
        if counts:
            await connection.execute(api_keys.COUNT, list(counts), list(counts.values()))
        now = time.monotonic()
        if now - self._use_written < _USE_WRITTEN_EVERY:
            return
        self._use_written = now
        used = [key for key in self._kept if key.is_used]
        if used:
            await connection.execute(api_keys.USED, [key.key_id for key in used])
            for key in used:
                key.is_used = False


def _of_setting(text: str) -> Key:
    """Return a key of RESHELF_API_KEYS, which may do everything, as it could before there were scopes."""
    return Key(f"setting:{secrets.digest(text).hex()[:8]}", None, frozenset({scopes.ADMIN}))
