"""Proposals from what was bought: within the rules, with what they expect, and by nothing that is a customer's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from sqlalchemy import Engine, event, text

from storage.events import intake
from storage.pricing import proposals
from storage.pricing import rules as price_rules
from workers.pricing import proposing
from workers.registry.errors import NotEnoughData
from workers.settings import Settings

WEEKS = 30
ITEMS = 6
START = datetime(2026, 1, 5, tzinfo=UTC)


def _shop(database: Engine, *, elasticity: float) -> None:
    """Six items whose price has moved by chance, week by week, between 8 and 12; demand answers with the elasticity."""
    chance = np.random.default_rng(0)
    changes = [
        {
            "change_id": f"c{n}", "item_id": f"i{n}", "at": START, "announces": True,
            "fields": {"title": f"Item {n}", "category": "lamps", "price": 10.0, "currency": "EUR"},
        }
        for n in range(ITEMS)
    ]  # fmt: skip
    events: list[dict[str, Any]] = []
    for week in range(WEEKS):
        for n in range(ITEMS):
            price = float(chance.choice([8.0, 9.0, 10.0, 11.0, 12.0]))
            units = chance.poisson(600 * (price / 10.0) ** -elasticity)
            at = START + timedelta(weeks=week, days=2)
            events.append(
                {
                    "event_id": f"{week}:{n}", "shopper": f"u{n}", "kind": "purchase", "item_id": f"i{n}", "at": at,
                    "value": price * float(units), "quantity": float(units), "session_id": None, "surface": None,
                    "request_id": None, "query": None, "context": {},
                }
            )  # fmt: skip
    with database.begin() as connection:
        intake.write_changes(connection, changes, writer="test")
        intake.write_events(connection, [one for one in events if one["quantity"]], writer="test")


def _proposed(database: Engine) -> list[Any]:
    with database.connect() as connection:
        return list(proposals.recent(connection))


@pytest.mark.parametrize(("elasticity", "rises"), [(0.3, True), (3.0, False)])
def test_prices_follow_how_demand_answers(database: Engine, tmp_path: Path, elasticity: float, rises: bool) -> None:
    _shop(database, elasticity=elasticity)
    assert proposing.propose(database, Settings(home=tmp_path), seed=1) >= ITEMS // 2
    found = _proposed(database)
    assert {row.state for row in found} == {"proposed"}
    assert sum((row.proposed > row.price) == rises for row in found) >= len(found) - 1
    for row in found:
        assert abs(row.proposed - 10.0) <= 1.0 + 1e-9, "the default step is a tenth"
        low, high = row.expects["units"][1:]
        assert 0 < low <= high
        assert 0 < row.propensity <= 1
        assert "a week" in row.reason


def test_rules_bound_what_is_proposed_and_may_approve_it(database: Engine, tmp_path: Path) -> None:
    _shop(database, elasticity=0.3)
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", {"approval": "automatic", "endings": [".49"]}, "test")
        price_rules.put(connection, "item", "i0", {"frozen": True}, "test")
    proposing.propose(database, Settings(home=tmp_path), seed=1)
    found = _proposed(database)
    assert {row.state for row in found} == {"approved"}
    assert "i0" not in {row.item_id for row in found}
    assert all(round(row.proposed * 100) % 100 == 49 for row in found)


def test_sizes_of_a_family_are_proposed_in_their_order(database: Engine, tmp_path: Path) -> None:
    _shop(database, elasticity=0.3)
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", {"step": 0.5}, "test")
        for n in range(ITEMS):
            price_rules.put(connection, "item", f"i{n}", {"family": "f", "size": n + 1}, "test")
        connection.execute(text("UPDATE items SET price = 9 + CAST(substr(item_id, 2) AS int) / 5.0"))
    proposing.propose(database, Settings(home=tmp_path), seed=1)
    found = {row.item_id: row for row in _proposed(database)}
    assert any(row.bitten == ["family"] for row in found.values())
    with database.connect() as connection:
        rows = connection.execute(text("SELECT item_id, price FROM items ORDER BY item_id")).all()
    after = [found[row.item_id].proposed if row.item_id in found else row.price for row in rows]
    assert after == sorted(after)


def test_every_decision_is_logged_with_its_propensity_and_kept_prices_too(database: Engine, tmp_path: Path) -> None:
    _shop(database, elasticity=0.3)
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", {"approval": "automatic"}, "test")
        price_rules.put(connection, "item", "i0", {"frozen": True}, "test")
    proposed = proposing.propose(database, Settings(home=tmp_path), seed=1)
    with database.connect() as connection:
        rows = connection.execute(text("SELECT * FROM price_decisions ORDER BY item_id")).all()
    assert [row.item_id for row in rows] == [f"i{n}" for n in range(ITEMS)]
    assert sum(row.chosen != row.price for row in rows) == proposed < ITEMS
    assert (rows[0].chosen, rows[0].propensity, rows[0].blocked) == (10.0, 1.0, ["frozen"])
    for row in rows:
        assert sum(row.shares) == pytest.approx(1.0)
        assert row.shares[row.prices.index(row.chosen)] == row.propensity
        assert len(row.units) == len(row.prices)
        assert row.automatic


@pytest.mark.parametrize(("days", "objective"), [(7, "clear"), (0, "revenue"), (-1, "revenue")])
def test_a_clearance_ends_on_its_day(database: Engine, tmp_path: Path, days: int, objective: str) -> None:
    _shop(database, elasticity=3.0)
    until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    with database.begin() as connection:
        price_rules.put(connection, "shop", "", {"objective": "clear", "clear_by": until}, "test")
        connection.execute(text("UPDATE items SET stock = 100000"))
    proposing.propose(database, Settings(home=tmp_path), seed=1)
    assert {row.objective for row in _proposed(database)} == {objective}


def test_a_new_look_takes_the_place_of_what_nobody_has_approved(database: Engine, tmp_path: Path) -> None:
    _shop(database, elasticity=0.3)
    first = proposing.propose(database, Settings(home=tmp_path), seed=1)
    proposing.propose(database, Settings(home=tmp_path), seed=2)
    assert [row.state for row in _proposed(database)].count("expired") == first


def test_a_shop_that_has_sold_for_a_few_weeks_has_to_wait(database: Engine, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="8 whole weeks"):
        proposing.propose(database, Settings(home=tmp_path))


def _listen(database: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which every statement is added, and those that the driver is given past SQLAlchemy (COPY)."""
    read: list[str] = []
    event.listen(database, "before_cursor_execute", lambda _c, _cursor, statement, *_: read.append(statement))
    copy = psycopg.Cursor.copy

    def heard(cursor: psycopg.Cursor[Any], statement: Any, *rest: Any, **named: Any) -> Any:
        read.append(statement if isinstance(statement, str) else statement.as_string(cursor))
        return copy(cursor, statement, *rest, **named)

    monkeypatch.setattr(psycopg.Cursor, "copy", heard)
    return read


def test_nothing_of_a_customer_is_read(database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _shop(database, elasticity=0.3)
    read = _listen(database, monkeypatch)
    proposing.propose(database, Settings(home=tmp_path), seed=1)
    assert [statement for statement in read if statement.startswith("COPY") and "purchase" in statement]
    personal = r"\b(shopper|user_id|session_id|context|traits|country|device|email|ip)\b"
    tables = r"\b(orders|shopper_traits|rankings|screenings)\b"
    for statement in read:
        # Flagged bots are left out of the counts by their id; nothing of it leaves the database.
        without_bots = re.sub(r"NOT EXISTS \(.*?\)|\w+\.shopper (?:<>|NOT IN).*?\)", "", statement, flags=re.DOTALL)
        assert not re.search(personal, without_bots), statement
        assert not re.search(tables, statement), statement
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name LIKE 'price_%'"
    with database.connect() as connection:
        names = set(connection.execute(text(columns)).scalars())
    assert not {name for name in names if re.fullmatch(personal, name)}
