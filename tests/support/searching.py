"""A small shop that is searched: its catalogue in a real database, the worker's part in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar.testing import TestClient
from sqlalchemy import Engine, text

from model.text.synonyms import Synonyms
from reshelf import parsing
from storage import due
from storage.events import intake
from storage.search import queries
from storage.search.queries import Question
from workers import rows
from workers.search import answering
from workers.search.serving import Serving
from workers.search.tastes import Vectors

Client = TestClient[Any]

ITEMS: tuple[dict[str, Any], ...] = (
    {
        "item_id": "drill",
        "title": "Makita 18-Volt Cordless Drill",
        "category": "drills",
        "brand": "Makita",
        "price": 99,
    },
    {"item_id": "bits", "title": "Drill Bit Set for Makita", "category": "bits", "brand": "Makita", "price": 19},
    {"item_id": "fan", "title": "Hampton Bay 52 in. Ceiling Fan", "category": "fans", "brand": "Hampton", "price": 120},
    {"item_id": "gone", "title": "Sold-Out Ceiling Fan", "category": "fans", "price": 80, "stock": 0},
    {"item_id": "phone", "title": "Apple iPhone 15 智能手机", "category": "智能手机", "brand": "Apple", "price": 799},
    {"item_id": "case", "title": "iPhone 15 手机壳 防摔", "category": "手机壳", "price": 9},
)


class Shop:
    """Writes what a test's shop has and what is asked of it, and answers as the worker does."""

    def __init__(self, database: Engine, home: Path) -> None:
        self.database = database
        self.serving = Serving(database, home, synonyms=Synonyms())
        self.vectors = Vectors()
        self._changes = 0

    def number(self) -> int:
        """Return a number that was not returned before."""
        self._changes += 1
        return self._changes

    def change(self, kind: str, item_id: str, **fields: Any) -> None:
        """Commit one catalogue change; each is newer than the one before."""
        minute, second = divmod(self.number(), 60)
        at = f"2026-03-01T12:{minute:02}:{second:02}Z"
        message = {"kind": kind, "change_id": f"c{self._changes}", "item_id": item_id, "at": at, **fields}
        parsed = parsing.parse_changes([message])
        assert not parsed.bad
        with self.database.begin() as connection:
            intake.write_changes(connection, [rows.change_row(parsed.good[0])], writer="test")

    def ask(self, query: str, **asked: Any) -> Question:
        """Write a question as the gateway does."""
        question = Question(query=query, **asked)
        with self.database.begin() as connection:
            parameters = {"key": question.key, "question": queries.encode(question), "shopper": question.shopper}
            connection.execute(
                text(
                    "INSERT INTO search_answers (key, question, shopper) "
                    "VALUES (:key, CAST(:question AS jsonb), :shopper) "
                    "ON CONFLICT (key) DO UPDATE SET times = search_answers.times + 1"
                ),
                parameters,
            )
            due.mark(connection, due.QUERY, [question.key])
        return question

    def work(self) -> int:
        """Follow the catalogue and answer what is due, as a task of the worker does; return how many it answered."""
        self.serving.follow()
        with self.database.begin() as connection:
            claims = due.claim(connection, due.QUERY, limit=100, lease=30)
        answering.answer(self.database, self.serving, self.vectors, claims)
        return len(claims)

    def answer(self, question: Question) -> dict[str, Any]:
        """Return the row of an answer, with the ids of its items."""
        with self.database.connect() as connection:
            row = connection.execute(text("SELECT * FROM search_answers WHERE key = :key"), {"key": question.key}).one()
            ids = {row.item_no: row.item_id for row in connection.execute(text("SELECT item_no, item_id FROM items"))}
        return row._asdict() | {"item_ids": [ids[number] for number in row.item_nos or ()]}

    def found(self, query: str, **asked: Any) -> list[str]:
        """Ask, answer, and return the ids of the items that were found."""
        question = self.ask(query, **asked)
        self.work()
        item_ids: list[str] = self.answer(question)["item_ids"]
        return item_ids

    def stale(self) -> int:
        """Return how many answers are stale."""
        with self.database.connect() as connection:
            return connection.execute(
                text("SELECT count(*) FROM search_answers WHERE stale_since IS NOT NULL")
            ).scalar_one()


class Bell:
    """Rings the worker in this process, while there is one, and remembers for what it was rung."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.is_heard = True
        self.rung: list[str] = []

    def ring(self, *kinds: str) -> None:
        self.rung += kinds
        if self.is_heard and due.QUERY in kinds:
            self._shop.work()
