"""Group commit: the rows of several messages become one transaction, and one ring of the doorbell.

A commit costs a flush of the write-ahead log however little it holds, which would limit single-event messages.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from storage import dead_letters
from storage.dead_letters import DeadLetter
from storage.events import intake
from storage.privacy.erased import Erased
from workers.doorbell import Doorbell
from workers.privacy import dropping
from workers.runtime import metrics

log = logging.getLogger(__name__)

Row = dict[str, Any]
MAX_ROWS = 2_000


@dataclass(frozen=True)
class Offer:
    """The rows of one message: the good ones, dead letters for the bad ones, and the due kinds to ring for."""

    door: str
    rows: Sequence[Row]
    letters: Sequence[DeadLetter] = ()
    rings: Sequence[str] = ()


class GroupCommit:
    """Writes offers to the database, about `MAX_ROWS` rows in one transaction, and then rings.

    What comes of the `erased` is dropped in that transaction.
    """

    def __init__(self, engine: Engine, bell: Doorbell, erased: Erased, *, writer: str) -> None:
        self._engine = engine
        self._bell = bell
        self._erased = erased
        self._writer = writer

    def write(self, offers: Sequence[Offer]) -> None:
        """Return once everything is committed and rung for; if it raises, some offers may have been written.

        If a group fails, each of its offers is tried on its own; rows that the database cannot hold become dead
        letters.
        """
        for group in _groups(offers):
            try:
                self._commit(group)
            except SQLAlchemyError as error:
                log.warning("a group of %d messages was not written, trying each alone: %s", len(group), error)
                for offer in group:
                    self._settle(offer)

    def _settle(self, offer: Offer) -> None:
        """Write one offer; rows that the database cannot hold become dead letters, and the others are kept."""
        try:
            self._commit([offer])
        except DBAPIError as error:
            if not intake.is_refusal(error):
                raise
            with self._engine.begin() as connection:
                self._erased.follow(connection)
                rows = dropping.rows(self._erased, offer.door, offer.rows)
                _, refused = intake.write_each(connection, offer.door, rows, writer=self._writer)
                letters = [DeadLetter(offer.door, why, payload=rows[n]) for n, why in refused.items()]
                self._write(connection, offer.door, [Offer(offer.door, [], [*offer.letters, *letters])])
            self._bell.ring(*offer.rings)

    def _commit(self, offers: Sequence[Offer]) -> None:
        start = time.perf_counter()
        with self._engine.begin() as connection:
            self._erased.follow(connection)
            results = {door: self._write(connection, door, offers) for door in sorted({offer.door for offer in offers})}
        metrics.INTAKE_SECONDS.observe(time.perf_counter() - start)
        self._bell.ring(*sorted({kind for offer in offers for kind in offer.rings}))
        for door, counts in results.items():
            for outcome in ("written", "duplicates", "rejected"):
                metrics.INTAKE_ROWS.labels(door, outcome).inc(getattr(counts, outcome))

    def _write(self, connection: Connection, door: str, offers: Sequence[Offer]) -> intake.Counts:
        rows = [row for offer in offers if offer.door == door for row in offer.rows]
        letters = [letter for offer in offers if offer.door == door for letter in offer.letters]
        dead_letters.add(connection, dropping.letters(self._erased, letters))
        kept = dropping.rows(self._erased, door, rows)
        return intake.WRITES[door](connection, kept, writer=self._writer, rejected=len(letters))


def _groups(offers: Sequence[Offer]) -> list[list[Offer]]:
    """Split the offers into groups of enough rows."""
    groups: list[list[Offer]] = []
    size = MAX_ROWS
    for offer in offers:
        if size >= MAX_ROWS:
            groups.append([])
            size = 0
        groups[-1].append(offer)
        size += len(offer.rows)
    return groups
