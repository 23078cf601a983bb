"""Group commit: what several intake tasks bring at the same time becomes one transaction.

A commit costs a flush of the write-ahead log however little it holds, so single-event messages would be bound by it.
Each task waits for the commit that holds its rows: a task that returns has been written.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from storage import dead_letters, intake
from storage.dead_letters import DeadLetter
from workers.contract.doorbell import Doorbell
from workers.runtime import metrics

log = logging.getLogger(__name__)

Row = dict[str, Any]
MAX_ROWS = 2_000


@dataclass(frozen=True)
class Offer:
    """The rows of one message: the good ones, letters for the bad, and the kinds that they make due."""

    door: str
    rows: Sequence[Row]
    letters: Sequence[DeadLetter]
    rings: Sequence[str] = ()
    done: Future[None] = field(default_factory=Future)


class GroupCommit:
    """Writes offers to the database from one thread, as many in one transaction as are waiting, and then rings."""

    def __init__(self, engine: Engine, bell: Doorbell, *, writer: str) -> None:
        self._engine = engine
        self._bell = bell
        self._writer = writer
        self._waiting: queue.SimpleQueue[Offer] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="group-commit", daemon=True).start()

    def write(
        self, door: str, rows: Sequence[Row], letters: Sequence[DeadLetter] = (), rings: Sequence[str] = ()
    ) -> None:
        """Return once the rows and letters are committed and `rings` rung for; raise what kept them from it."""
        offer = Offer(door, rows, letters, rings)
        self._waiting.put(offer)
        offer.done.result()

    def _run(self) -> None:
        while True:
            offers = self._gather()
            try:
                self._commit(offers)
            except SQLAlchemyError as error:
                self._settle_alone(offers, error)
            else:
                for offer in offers:
                    offer.done.set_result(None)

    def _gather(self) -> list[Offer]:
        """Wait for an offer, and take along whatever else is waiting."""
        offers = [self._waiting.get()]
        size = len(offers[0].rows)
        while size < MAX_ROWS:
            try:
                offers.append(self._waiting.get_nowait())
            except queue.Empty:
                break
            size += len(offers[-1].rows)
        return offers

    def _settle_alone(self, offers: list[Offer], error: SQLAlchemyError) -> None:
        """Write each offer by itself, so that one that the database refuses fails no other."""
        log.warning("a group of %d messages was not written, trying each alone: %s", len(offers), error)
        for offer in offers:
            try:
                self._settle(offer)
            except SQLAlchemyError as own_error:
                offer.done.set_exception(own_error)
            else:
                offer.done.set_result(None)

    def _settle(self, offer: Offer) -> None:
        """Write one offer; rows that the database cannot hold become dead letters, and the others are kept."""
        try:
            self._commit([offer])
        except DBAPIError as error:
            if not intake.is_refusal(error):
                raise
            with self._engine.begin() as connection:
                _, refused = intake.write_each(connection, offer.door, offer.rows, writer=self._writer)
                letters = [DeadLetter(offer.door, why, payload=offer.rows[n]) for n, why in refused.items()]
                self._write(connection, offer.door, [Offer(offer.door, [], [*offer.letters, *letters])])
            self._bell.ring(*offer.rings)

    def _commit(self, offers: list[Offer]) -> None:
        start = time.perf_counter()
        with self._engine.begin() as connection:
            results = {door: self._write(connection, door, offers) for door in sorted({offer.door for offer in offers})}
        metrics.INTAKE_SECONDS.observe(time.perf_counter() - start)
        self._bell.ring(*sorted({kind for offer in offers for kind in offer.rings}))
        for door, counts in results.items():
            for outcome in ("written", "duplicates", "rejected"):
                metrics.INTAKE_ROWS.labels(door, outcome).inc(getattr(counts, outcome))

    def _write(self, connection: Connection, door: str, offers: list[Offer]) -> intake.Counts:
        rows = [row for offer in offers if offer.door == door for row in offer.rows]
        letters = [letter for offer in offers if offer.door == door for letter in offer.letters]
        dead_letters.add(connection, letters)
        return intake.WRITES[door](connection, rows, writer=self._writer, rejected=len(letters))
