"""Searching: the kept answer, or the worker's within the deadline, or else a lexical search in Postgres."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from api_gateway import database
from api_gateway.lists import cursor
from api_gateway.search import schemas
from api_gateway.search.schemas import Hits
from api_gateway.services import Services
from storage import due
from storage.search import lookup
from storage.search.lookup import Found
from storage.search.queries import Question

SURFACE = "search"


async def answer(services: Services, question: Question, limit: int, packed: str | None) -> Hits:
    """Return a page of what the query finds. Raises `errors.Invalid` for a bad cursor, and asyncpg's errors."""
    of = f"{SURFACE}\0{question.key}"
    if packed is not None:
        rest = cursor.unpack(packed, of)
        products = await database.read(
            services.pool, lambda connection: lookup.page(connection, rest.item_nos, question, limit)
        )
        answered = schemas.later_page(rest, products, limit, question.query, of)
    else:
        found, fallback = await _find(services, question, limit)
        answered = schemas.first_page(found, question.query, of, fallback)
    services.metrics.served(SURFACE, answered.fallback or answered.source)
    return answered


async def _find(services: Services, question: Question, limit: int) -> tuple[Found, str | None]:
    """Return the answer, and which fallback it is; None if it is the worker's current answer."""
    kept = await _read(services, question, limit)
    if kept is not None and kept.is_fresh:
        services.usage.add(question.key)
        return kept, None
    if services.settings.search:
        heard = await _ask(services, question)
        renewed = await _read(services, question, limit)
        if renewed is not None and (heard or renewed.is_fresh):
            return renewed, None
        kept = renewed or kept
    if question.shopper is not None:
        public = await _read(services, question.without_shopper(), limit)
        if public is not None:
            return public, schemas.PUBLIC
    if kept is not None:
        return kept, schemas.OLDER
    lexical = await database.read(services.pool, lambda connection: lookup.lexical(connection, question, limit))
    return lexical, schemas.LEXICAL


async def _ask(services: Services, question: Question) -> bool:
    """Ask the worker; return whether it answered in time."""
    seconds = services.settings.search_deadline_ms / 1000
    with services.listener.expect(due.QUERY, question.key) as expected, suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await database.read(services.pool, lambda connection: lookup.ask(connection, question))
            services.doorbell.ring(due.QUERY)
            await expected.within(seconds)
    return expected.is_heard


async def _read(services: Services, question: Question, limit: int) -> Found | None:
    return await database.read(services.pool, lambda connection: lookup.read(connection, question, limit))
