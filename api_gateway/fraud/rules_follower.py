"""The active rules, followed in the background: they are needed most when the database does not answer."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from api_gateway import database
from api_gateway.background import periodic
from api_gateway.database import Connection, Pool
from storage.fraud import rule_sets
from workers.fraud.rules import rules
from workers.fraud.rules.rules import RulesError, RuleSet

log = logging.getLogger(__name__)

FOLLOWED_EVERY = 1.0


class RulesFollower:
    """The active rules, at most a second old."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._version: str | None = None
        self.rules: RuleSet = rules.DEFAULT

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Follow them during the block."""
        await self._look()
        async with periodic.running(self._look, every=FOLLOWED_EVERY):
            yield

    async def _look(self) -> None:
        try:
            await database.read(self._pool, self._take)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.debug("the database does not say which rules are active: %s", error)
        except RulesError:
            log.exception("the active rules cannot be read; those before decide on")

    async def _take(self, connection: Connection) -> None:
        row = await connection.fetchrow(rule_sets.ACTIVE)
        if row is None and self._version is None:  # the rules have to be stored, so that a decision can be replayed
            content = json.dumps(rules.to_json(rules.DEFAULT))
            await connection.execute(rule_sets.KEEP_ONE, rules.DEFAULT.version, content)
            self._version = rules.DEFAULT.version
        elif row is not None and row["version"] != self._version:
            self.rules = rules.from_json(json.loads(row["content"]))
            self._version = row["version"]
