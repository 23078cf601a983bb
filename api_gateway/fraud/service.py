"""Screen an order within a deadline: write it, wake the worker, and answer, by rules if the worker is late.

Whoever writes the decision first decides: the worker with its model, or this gateway after the deadline. Everyone who
asks about the order gets that decision.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from functools import partial
from typing import Any

import asyncpg
import msgspec

from api_gateway import database
from api_gateway.background.listener import Expected
from api_gateway.database import Connection
from api_gateway.http.errors import Conflict, Invalid
from api_gateway.services import Services
from reshelf import lenient, parsing
from storage import due
from storage.fraud import orders, screenings, velocities
from storage.fraud.screenings import Screening
from storage.json import ascii_text
from workers import rows
from workers.canonical import orders as keys
from workers.fraud.rules import answers, rules, rules_only
from workers.fraud.rules.answers import Answer
from workers.fraud.rules.rules import Reason
from workers.privacy import dropping

log = logging.getLogger(__name__)

_RULES_SECONDS = 0.5
"""How long rules may take after the deadline; then only the order's own facts are used."""
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

Row = dict[str, Any]


async def screen(services: Services, body: bytes) -> Answer:
    """Return the decision. Raises `errors.Invalid` if the body is no order, `errors.Conflict` if its id has another.

    Whatever fails, there is an answer: without a model, or without a database, the rules decide, and the answer says
    so. An order of somebody who was erased is decided by what it says of itself, and nothing is kept of it.
    """
    row, answer, is_written = _row(body), None, False
    if dropping.is_of(services.erased.known, row):
        return answers.with_unread(_unkept(services, row), row["message"])
    milliseconds, now = services.settings.screen_deadline_ms, asyncio.get_running_loop().time
    until = now() + milliseconds / 1000
    why = f"the model did not answer within {milliseconds} ms"
    try:
        async with asyncio.timeout_at(until):
            with services.listener.expect(due.ORDER, row["order_id"]) as expected:
                answer = await database.read(services.pool, partial(_write, row=row))
                is_written = True
                if answer is None:
                    services.doorbell.ring(due.ORDER)
                    if services.circuit_breaker.may_wait(now()):
                        answer = await _wait(services, expected, row["order_id"], until)
                    else:
                        why = "the model has not answered in time for a while, and was not waited for"
    except _AWAY as error:
        log.debug("order %s is not screened by the model: %s", row["order_id"], error)
        if not is_written:
            why = f"the database did not answer within {milliseconds} ms"
    if answer is None:
        answer = await _by_rules(services, row, why, is_written=is_written)
    services.metrics.screened(answer.by, answer.decision)
    return answers.with_unread(answer, row["message"])


async def _wait(services: Services, expected: Expected, order_id: str, until: float) -> Answer | None:
    """Return the worker's decision if it comes before `until` (by the clock of the event loop), else None."""
    now = asyncio.get_running_loop().time
    try:
        await expected.within(until - now())
    finally:  # the deadline of the whole request may come first
        services.circuit_breaker.note(now(), in_time=expected.is_heard)
    return answers.from_json(expected.said) or await read(services, order_id)


async def read(services: Services, order_id: str) -> Answer | None:
    """Return the decision about an order, None if there is none. Raises asyncpg's errors."""
    return await database.read(services.pool, partial(_read, order_id=order_id))


def _row(body: bytes) -> Row:
    parsed = parsing.parse_orders([_decode(body)])
    if parsed.bad:
        raise Invalid(
            parsed.bad[0].error, field=parsed.bad[0].field, fix="docs/reference/messages.md describes an order"
        )
    return orders.as_row(rows.order_row(parsed.good[0], parsed.unread.get(0)))


def _decode(body: bytes) -> Any:
    """Return the order; of one that is no JSON, what can be read of it. Raises `errors.Invalid`."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        with suppress(ValueError, RecursionError):
            return lenient.loads(body)
        raise Invalid(f"the body is no JSON: {error}", field="body", fix="send one order as a JSON object") from error


async def _write(connection: Connection, row: Row) -> Answer | None:
    """Write the order, or return the decision if it existed already. Raises `errors.Conflict`."""
    if await connection.fetchval(orders.WRITE_ONE, ascii_text([row])) is not None:
        return None
    await _require_same(connection, row)
    return await _read(connection, row["order_id"])


async def _require_same(connection: Connection, row: Row) -> None:
    stored = await connection.fetchval(orders.MESSAGE_OF, row["order_id"])
    field = None if stored is None else orders.difference(keys.unified(json.loads(stored)), row["message"])
    if field is not None:
        raise Conflict(
            answers.conflict(row["order_id"], field), field=field, fix="send it as it was, or under a new `order_id`"
        )


async def _read(connection: Connection, order_id: str) -> Answer | None:
    row = await connection.fetchrow(screenings.READ_ONE, order_id)
    if row is None:
        return None
    reasons = msgspec.json.decode(row["reasons"], type=list[Reason])
    return Answer(**{**row, "reasons": reasons})


async def _by_rules(services: Services, row: Row, why: str, *, is_written: bool) -> Answer:
    """Decide by rules, unless a decision was written meanwhile; without the database, by the order's own facts."""

    async def decide(connection: Connection) -> Answer:
        if not is_written and (answer := await _write(connection, row)) is not None:
            return answer
        counted = await velocities.read_one(connection, row, rules.velocities(services.rules.rules))
        decided = _rules_only(services, row, counted, why)
        written = await connection.fetchrow(screenings.WRITE_ONE, ascii_text([decided.as_row()]))
        if written is not None:
            return answers.from_screening(decided, written["decided_at"])
        answer = await _read(connection, row["order_id"])
        assert answer is not None  # another process decided first
        return answer

    try:
        async with asyncio.timeout(_RULES_SECONDS):
            return await database.read(services.pool, decide)
    except _AWAY as error:
        log.warning("order %s is decided without the database: %s", row["order_id"], error)
        return answers.from_screening(_rules_only(services, row, {}, why), None)


def _unkept(services: Services, row: Row) -> Answer:
    """Decide about an order of somebody who was erased."""
    answer = answers.from_screening(_rules_only(services, row, {}, dropping.WHY_UNKEPT), None)
    services.metrics.screened(answer.by, answer.decision)
    return answer


def _rules_only(services: Services, row: Row, counted: dict[str, float], why: str) -> Screening:
    otherwise = rules.decision(services.settings.screen_fallback)
    return rules_only.decide(
        services.rules.rules, row["order_id"], row["message"], counted, why=why, otherwise=otherwise
    )
