"""A person of whom something is stored in every place, for tests of what is kept of people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from reshelf import parsing
from storage import dead_letters, due
from storage.bots import actors
from storage.bots.actors import Suspicion
from storage.dead_letters import DeadLetter
from storage.events import intake
from storage.fraud import orders, reviews, screenings
from storage.fraud.screenings import Screening
from storage.search import queries
from storage.search.queries import Question
from storage.tables import search_answers
from tests.support import shelves
from workers import rows

NOW = datetime.now(UTC) - timedelta(hours=1)


def event(user: str | None, number: int, **given: Any) -> dict[str, Any]:
    """Return one event of a user, or of a visitor if it is None."""
    kind, item = given.pop("kind", "click"), given.pop("item_id", f"i{number % 5}")
    made = {"event_id": f"{given.get('session_id')}-{user}-{number}", "kind": kind, "item_id": item}
    return made | {"user_id": user, "at": (NOW + timedelta(seconds=number)).isoformat()} | given


def order(user: str, number: int, **given: Any) -> dict[str, Any]:
    """Return one order of a user."""
    made = {"order_id": f"order-{user}-{number}", "customer_id": user, "amount": 10.0, "currency": "EUR"}
    return made | {"at": NOW.isoformat(), "payment_id": f"card-{number}"} | given


def live_in(database: Engine, user: str) -> None:
    """Store something of a user in every table that has people."""
    session = f"of-{user}"
    batch = [event(user, n, session_id=session, context={"country": "FR"}) for n in range(8)]
    batch += [event(None, n, session_id=session) for n in range(3)]
    batch += [event(user, 20 + n, kind="purchase", session_id=session) for n in range(2)]
    batch += [event(user, 30, kind="search", item_id=None, query="lamp", request_id="r")]
    parsed = parsing.parse_events(batch)
    assert not parsed.bad
    taken = parsing.parse_orders([order(user, 1)])
    assert not taken.bad
    with database.begin() as connection:
        shelves.announce(connection, *(f"i{n}" for n in range(5)))
        intake.write_events(connection, [rows.event_row(one) for one in parsed.good], writer="test")
        shelves.write(connection, user, ["i1", "i2"])
        shelves.write(connection, f"session:{session}", ["i2", "i1"])
        due.mark_reasons(connection, [user])
        actors.flag(connection, [Suspicion(user, ["velocity"], "fast")], by=actors.DETECTOR)
        actors.clear(connection, [user], by="test")
        question = Question(query="lamp", shopper=user)
        connection.execute(
            search_answers.insert().values(key=question.key, question=text("CAST(:question AS jsonb)"), shopper=user),
            {"question": queries.encode(question)},
        )
        due.mark(connection, due.QUERY, [question.key])
        written = [orders.as_row(rows.order_row(one)) for one in taken.good]
        orders.write(connection, written)
        key = f"order-{user}-1"
        screenings.write(
            connection, [Screening(key, "review", "rules", [{"text": "odd"}], {"customer_id": user}, "rules-1")]
        )
        reviews.take(connection, key, "eva")
        label = {"label_id": f"label-{user}", "order_id": key, "kind": "cleared", "at": NOW}
        intake.write_labels(connection, [label], writer="test")
        dead_letters.add(connection, letters_of(user))


def letters_of(user: str) -> list[DeadLetter]:
    """Return dead letters that name a user."""
    return [
        DeadLetter("events", "unknown kind", payload=event(user, 90, kind="stare")),
        DeadLetter("queue", "it cannot be read", payload=f'{{"user_id": "{user}", "kind"'),
        DeadLetter(due.SHOPPER, "gave up", key=user),
    ]
