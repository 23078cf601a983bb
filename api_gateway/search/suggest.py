"""Suggestions: complete what a shopper types."""

from __future__ import annotations

from api_gateway import database
from api_gateway.search.schemas import Suggested
from api_gateway.services import Services
from storage.search import suggestions
from workers import markup


async def complete(services: Services, typed: str, limit: int) -> Suggested:
    """Return phrases that begin with what is typed; if they are too few, also completions of its last word.

    Raises asyncpg's errors.
    """
    found = await _starting(services, typed, limit)
    before, space, last = typed.rpartition(" ")
    if len(found) < limit and space:
        known = {phrase.lower() for phrase in found}
        ends = [f"{before} {phrase}" for phrase in await _starting(services, last, limit)]
        found += [phrase for phrase in ends if phrase.lower() not in known]
    return Suggested(typed, found[:limit])


async def _starting(services: Services, typed: str, most: int) -> list[str]:
    found = await database.read(services.pool, lambda connection: suggestions.starting(connection, typed, most))
    return [markup.text(phrase) for phrase in found]  # what shoppers' searches brought in, or an older reshelf
