"""Logged decisions: which of them stood, what was sold until the next, and the weeks whose price was chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from storage.events import intake
from storage.market import demand
from storage.pricing import decisions
from workers.cli import main
from workers.pricing import panels, valuing

START = datetime(2026, 1, 5, tzinfo=UTC)
PRICES, SHARES, UNITS = [9.0, 10.0, 11.0], [0.25, 0.5, 0.25], [42.0, 35.0, 28.0]


def _decide(database: Engine, item: str, at: datetime, price: float, chosen: float, **changed: Any) -> None:
    """Log a decision of that time, with the proposal of it where the price is to change."""
    row = {
        "item_id": item, "price": price, "chosen": chosen, "currency": "EUR", "cost": 4.0,
        "propensity": SHARES[PRICES.index(chosen)], "prices": PRICES, "shares": SHARES, "units": UNITS,
        "policy": "test", "blocked": [], "automatic": True,
    }  # fmt: skip
    state = changed.pop("state", "applied")
    with database.begin() as connection:
        decisions.write(connection, [row | changed])
        connection.execute(text("UPDATE price_decisions SET at = :at WHERE at > :now"), {"at": at, "now": _hour_ago()})
        if chosen != price:
            connection.execute(
                text("""
                INSERT INTO price_proposals (item_id, price, proposed, objective, expects, reason, bitten, propensity,
                    policy, state, created_at)
                VALUES (:item, :price, :chosen, 'revenue', '{}', '', '{}', 1, 'test', :state, :at)
                """),
                {"item": item, "price": price, "chosen": chosen, "state": state, "at": at},
            )


def _hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def _announce(database: Engine, item: str, price: float) -> None:
    fields = {"title": item, "price": price, "currency": "EUR"}
    with database.begin() as connection:
        change = {"change_id": item, "item_id": item, "at": START, "announces": True, "fields": fields}
        intake.write_changes(connection, [change], writer="test")


def _sell(database: Engine, item: str, at: datetime, units: float, price: float | None) -> None:
    row = {
        "event_id": f"{item}:{at}", "shopper": "u1", "kind": "purchase", "item_id": item, "at": at,
        "value": None if price is None else price * units, "quantity": units, "session_id": None, "surface": None,
        "request_id": None, "query": None, "context": {},
    }  # fmt: skip
    with database.begin() as connection:
        intake.write_events(connection, [row], writer="test")


def test_what_was_sold_until_the_next_decision_belongs_to_one(database: Engine) -> None:
    _announce(database, "i1", 9.0)
    day = timedelta(days=1)
    _sell(database, "i1", START - day, 99.0, 10.0)
    _decide(database, "i1", START, 10.0, 10.0)
    _sell(database, "i1", START + 0.2 * day, 2.0, 10.0)
    _sell(database, "i1", START + 0.8 * day, 3.0, None)
    _decide(database, "i1", START + day, 10.0, 9.0)
    _decide(database, "i1", START + 3 * day, 9.0, 9.0)
    with database.connect() as connection:
        first, second = decisions.outcomes(connection, START - day)
    assert (first.fate, first.days, first.sold_units, first.sold_revenue) == ("stood", 1.0, 5.0, 50.0)
    assert (second.fate, second.days, second.sold_units, second.sold_revenue) == ("stood", 2.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("chosen", "next_price", "changed", "fate"),
    [
        (10.0, 10.0, {}, "stood"),
        (11.0, 11.0, {}, "stood"),
        (11.0, 10.0, {"state": "refused"}, "not applied"),
        (11.0, 11.0, {"automatic": False}, "approved by a person"),
        (10.0, 10.0, {"automatic": False}, "approved by a person"),
        (10.0, 9.0, {}, "changed otherwise"),
        (11.0, 9.0, {}, "changed otherwise"),
    ],
)
def test_decisions_that_did_not_stand_are_told_apart(
    database: Engine, chosen: float, next_price: float, changed: dict[str, Any], fate: str
) -> None:
    _announce(database, "i1", next_price)
    _decide(database, "i1", START, 10.0, chosen, **changed)
    _decide(database, "i1", START + timedelta(days=1), next_price, next_price)
    with database.connect() as connection:
        [found] = decisions.outcomes(connection, START)
    assert found.fate == fate


def test_weeks_in_which_the_policys_price_stood_are_marked_as_chosen(database: Engine) -> None:
    for item, last in (("ours", 10.0), ("theirs", 10.0), ("frozen", 10.0)):
        _announce(database, item, last)
        for week in range(6):
            _sell(database, item, START + timedelta(weeks=week, days=1), 1.0, 10.0)
            if week >= 2:
                blocked = ["frozen"] if item == "frozen" else ["cooldown"] if week == 3 else []
                automatic = item != "theirs" or week == 4
                at = START + timedelta(weeks=week)
                _decide(database, item, at, 10.0, 10.0, blocked=blocked, automatic=automatic)
    with database.connect() as connection:
        span = demand.span(connection)
        assert span is not None
        items, history = panels.read(connection, span)
    chosen = {row.item_id: row_T.nonzero()[0].tolist() for row, row_T in zip(items, history.chosen_NxT, strict=True)}
    assert chosen == {"frozen": [], "ours": [2, 3, 4], "theirs": [4]}


def test_the_command_says_what_a_simulated_shop_would_have_earned(
    database: Engine, database_url: str, tmp_path: Path
) -> None:
    """Twelve items for thirty days, beginning a month ago; the policy chooses by the logged probabilities."""
    random = np.random.default_rng(0)
    begun = datetime.now(UTC) - timedelta(days=31)
    price = dict.fromkeys(range(12), 10.0)
    for n in range(12):
        _announce(database, f"i{n}", 10.0)
    for day in range(30):
        for n in range(12):
            at, chosen = begun + timedelta(days=day), float(random.choice(PRICES, p=SHARES))
            _decide(database, f"i{n}", at, price[n], chosen)
            price[n] = chosen
            _sell(database, f"i{n}", at + timedelta(hours=6), float(random.poisson(UNITS[PRICES.index(chosen)] / 7)),
                  chosen)  # fmt: skip
    with database.connect() as connection:
        report = valuing.report(decisions.outcomes(connection, begun - timedelta(days=1)), "revenue")
    assert (report.looks, report.decisions, report.left_out) == (29, 12 * 29, {})
    true = 12 * float(np.dot([1 / 3] * 3, np.multiply(PRICES, UNITS)))
    even = {each.policy: each for each in report.policies}["even"]
    for estimate in (even.inverse_propensity, even.doubly_robust):
        assert estimate.low <= true <= estimate.high
        assert estimate.value == pytest.approx(true, rel=0.1)
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path)}
    done = CliRunner().invoke(main, ["pricing", "value"], env=environ)
    assert done.exit_code == 0, done.output
    assert "348 decisions of 29 looks" in done.output
