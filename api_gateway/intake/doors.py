"""The doors: take a batch of JSON rows, commit the good ones with due marks, and answer every bad one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api_gateway.http import bodies
from api_gateway.http.batches import Rejected, Taken
from api_gateway.http.errors import Invalid, TooLarge, Unavailable
from api_gateway.services import Services
from reshelf import lenient, parsing
from reshelf.parsing import Parsed, Rejection
from storage import dead_letters, due
from storage.dead_letters import DeadLetter
from storage.events import intake
from storage.events.intake import Counts
from storage.privacy.erased import Erased
from workers import rows
from workers.privacy import dropping
from workers.settings import Settings

MOST_ROWS = 1_000
MOST_BYTES = bodies.MOST_BYTES

_BESIDE_BYTES = 32 * 1024
_ATTEMPTS = 5
# A deadlock, a serialization failure, and a lock that could not be had: nothing was done.
_TRANSIENT = {"40P01", "40001", "55P03"}

Row = dict[str, Any]


@dataclass(frozen=True)
class Door:
    """One kind of rows: how they are parsed and written, and which due kinds they ring for."""

    name: str
    rows_field: str
    parse: Callable[..., Parsed[Any]]
    to_row: Callable[[Any], Row]
    rings: Callable[[Sequence[Any], Settings], Sequence[str]]


def _events_ring(events: Sequence[Any], _settings: Settings) -> list[str]:
    return due.for_events([event.kind for event in events])


def _changes_ring(changes: Sequence[Any], settings: Settings) -> list[str]:
    return due.for_changes(len(changes), search=settings.search)


def _nothing(_labels: Sequence[Any], _settings: Settings) -> list[str]:
    return []


EVENTS = Door("events", "events", parsing.parse_events, rows.event_row, _events_ring)
CATALOGUE = Door("catalogue", "changes", parsing.parse_changes, rows.change_row, _changes_ring)
LABELS = Door("labels", "labels", parsing.parse_labels, rows.label_row, _nothing)


@dataclass(frozen=True)
class _Good:
    """A valid row, its message, and its index in the batch."""

    index: int
    message: Any
    row: Row


async def take(services: Services, door: Door, body: bytes) -> Taken:
    """Return the result of the batch, once its good rows are committed.

    Raises `errors.Invalid` if the body is no batch, `errors.TooLarge` for more than `MOST_ROWS` rows, and database
    errors.
    """
    if len(body) > _BESIDE_BYTES:
        good, bad = await asyncio.to_thread(_parse, door, body)
    else:
        good, bad = _parse(door, body)
    counts, refused = await _write(services, door, good, bad)
    services.metrics.took(door.name, written=counts.written, duplicates=counts.duplicates, rejected=counts.rejected)
    gone = {rejection.index for rejection in refused}
    services.doorbell.ring(*door.rings([one.message for one in good if one.index not in gone], services.settings))
    rejected = sorted([*bad, *refused], key=lambda rejection: rejection.index)
    return Taken(counts.written, counts.duplicates, [Rejected(r.index, r.id, r.field, r.error) for r in rejected])


def status(taken: Taken) -> int:
    """Return 202, or 422 if no row of the batch was valid."""
    return 202 if taken.written or taken.duplicates else 422


def decode(door: Door, body: bytes) -> tuple[list[Any], bool]:
    """Return the rows of a body: a JSON array, or an object with the array under the door's name for it.

    Beside them stands whether no text holds what PostgreSQL cannot. Of a body that is no JSON, those rows are returned
    that are, and a `lenient.Unparsed` for each other one. Raises `errors.Invalid`, `errors.TooLarge`.
    """
    fix = f'send a JSON array of 1 to {MOST_ROWS} objects, or {{"{door.rows_field}": [...]}}'
    refused: Exception | None = None
    batch: Any = None
    try:
        batch = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        refused = error
        with suppress(ValueError, RecursionError):
            batch = lenient.loads(body)
    if isinstance(batch, dict) and isinstance(batch.get(door.rows_field), list) and len(batch) == 1:
        batch = batch[door.rows_field]
    if refused is not None and (not isinstance(batch, list) or all(map(lenient.is_broken, batch))):
        where = f"{refused} (the body has {len(body)} bytes)"
        raise Invalid(f"the body is no JSON: {where}", field="body", fix=fix) from refused
    if not isinstance(batch, list):
        raise Invalid("the body is no batch of rows", field="body", fix=fix)
    if not batch:
        raise Invalid("the batch is empty", field="body", fix=fix)
    if len(batch) > MOST_ROWS:
        raise TooLarge(
            f"{len(batch)} rows are more than {MOST_ROWS}", field="body", fix="send them in several requests"
        )
    return batch, refused is None and b"\\u" not in body


def is_transient(error: DBAPIError) -> bool:
    """Return whether the same transaction may succeed the next time."""
    return getattr(error.orig, "sqlstate", None) in _TRANSIENT


def _parse(door: Door, body: bytes) -> tuple[list[_Good], list[Rejection]]:
    batch, is_plain = decode(door, body)
    parsed = door.parse(batch, is_plain=is_plain)
    bad = {rejection.index: rejection for rejection in parsed.bad}
    indexes = (index for index in range(len(batch)) if index not in bad)
    good = []
    for index, message in zip(indexes, parsed.good, strict=True):
        try:
            good.append(_Good(index, message, door.to_row(message)))
        except OverflowError as error:  # a time whose UTC offset moves it out of the calendar
            bad[index] = _rejection(index, message, "at", str(error))
    return good, list(bad.values())


async def _write(
    services: Services, door: Door, good: list[_Good], bad: list[Rejection]
) -> tuple[Counts, list[Rejection]]:
    """Commit the rows, and return those that the database refused."""
    commit = _commit
    async with services.writers.one() as writer:
        for attempt in range(_ATTEMPTS):
            try:
                async with services.engine.begin() as connection:
                    return await connection.run_sync(commit, door, good, bad, writer, services.erased.known)
            except DBAPIError as error:
                if intake.is_refusal(error) and commit is _commit:
                    commit = _commit_each
                elif not is_transient(error):
                    raise
                await asyncio.sleep(random.uniform(0.01, 0.05) * attempt)
    raise Unavailable("the database was too busy to take these rows")


def _commit(
    connection: Connection, door: Door, good: list[_Good], bad: list[Rejection], writer: str, erased: Erased
) -> tuple[Counts, list[Rejection]]:
    """Write the good rows in one statement, without those of the erased."""
    erased.follow(connection)
    dead_letters.add(connection, dropping.letters(erased, [_letter(door, rejection) for rejection in bad]))
    kept = dropping.rows(erased, door.name, [one.row for one in good])
    counts = intake.WRITES[door.name](connection, kept, writer=writer, rejected=len(bad))
    return counts, []


def _commit_each(
    connection: Connection, door: Door, good: list[_Good], bad: list[Rejection], writer: str, erased: Erased
) -> tuple[Counts, list[Rejection]]:
    """Write the good rows one by one, so that one that the database refuses does not affect the others."""
    erased.follow(connection)
    good = [one for one in good if dropping.rows(erased, door.name, [one.row])]
    counts, reasons = intake.write_each(connection, door.name, [one.row for one in good], writer=writer)
    refused = [_rejection(good[n].index, good[n].message, "row", reason) for n, reason in reasons.items()]
    _commit(connection, door, [], [*bad, *refused], writer, erased)
    return Counts(counts.written, counts.duplicates, len(bad) + len(refused)), refused


def _rejection(index: int, message: Any, field: str, error: str) -> Rejection:
    row = msgspec.to_builtins(message)
    identity = row.get("event_id") or row.get("change_id") or row.get("label_id")
    return Rejection(index=index, id=identity, field=field, error=error, row=row)


def _letter(door: Door, rejection: Rejection) -> DeadLetter:
    return DeadLetter(door.name, rejection.error, key=rejection.id, field=rejection.field, payload=rejection.row)
