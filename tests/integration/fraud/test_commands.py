"""The commands of an operator: past orders loaded, rules tried on them, rules that decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from tests.support import screening as tests
from workers.cli import main
from workers.fraud.serving import Serving
from workers.settings import Settings

Reshelf = Callable[..., Result]

RULES = """
[[rules]]
name = "dear"
decision = "decline"
reason = "dear"
when = { amount = { above = 100 } }

[[rules]]
name = "busy"
decision = "review"
reason = "two orders from this device within a day"
when = { device_orders_1d = { at_least = 2 } }

[[rules]]
name = "modelled"
decision = "review"
reason = "the model says so"
when = { probability = { above = 0.5 } }
"""


@pytest.fixture
def reshelf(database_url: str, tmp_path: Path) -> Reshelf:
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path), "COLUMNS": "200"}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=environ)

    return run


def test_past_orders_have_their_keys_in_one_form_and_lines_are_kept_without_what_cannot_be_read(
    database: Engine, tmp_path: Path, reshelf: Reshelf
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,customer_id,at,amount,currency,ip,email,phone,shipping_country\n"
        "a,Ka\u0308te,2026-01-02T10:00:00Z,20,eur,203.0.113.51:5000,Eva@Shop.example,030 901820,Germany\n"
        "b,K\u00e4te,2026-01-02T11:00:00Z,20,,::ffff:203.0.113.51,eva@shop.example,+49 30 901820,DEU\n"
        "c,c-2,2026-01-02T12:00:00Z,20,???,unknown,no address,call me,Atlantis\n"
    )
    done = json.loads(reshelf("load", "--orders", str(path), "--json").output)
    assert (done["written"], done["rejected"]) == (3, {})
    unread = {f"{name} cannot be read" for name in ("ip", "email", "phone", "shipping_country", "currency")}
    assert {reason: (one["lines"], one["first_line"]) for reason, one in done["unread"].items()} == dict.fromkeys(
        unread, (1, 4)
    )
    assert done["unread"]["ip cannot be read"]["example"] == "ip=unknown"
    rows = tests.rows_of(
        database,
        "SELECT customer, ip, email, phone, country, message->>'currency' AS currency FROM orders "
        "JOIN order_messages USING (order_id) ORDER BY order_id",
    )
    assert tuple(rows[0]) == tuple(rows[1])
    assert rows[0].currency == "EUR"
    assert tuple(rows[2])[1:] == (0, 0, 0, 0, None)


def test_past_orders_are_loaded_once_and_bad_lines_are_left_out(
    database: Engine, tmp_path: Path, reshelf: Reshelf
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,customer_id,at,amount,device_id,label,labelled_at\n"
        "a,c-1,2026-01-02T10:00:00Z,20,d-1,0,\n"
        "b,c-1,2026-01-03T10:00:00Z,80,d-1,chargeback,2026-01-20T00:00:00Z\n"
        "c,c-2,2026-01-01T10:00:00Z,5.5,,,\n"
        "a,c-2,2026-01-01T10:00:00Z,9,,,\n"
        "d,c-2,yesterday,9,,,\n"
        "e,c-2,2026-01-01T10:00:00Z,-9,,,\n"
    )
    done = json.loads(reshelf("load", "--orders", str(path), "--json").output)
    assert (done["lines"], done["written"], done["duplicates"]) == (6, 3, 0)
    assert {reason: one["first_line"] for reason, one in done["rejected"].items()} == {
        "order_id was there before": 5,
        "at is no time": 6,
        "amount is no amount from 0 on": 7,
    }
    rows = tests.rows_of(
        database,
        "SELECT order_id, place, odd, label, fraud_at, device, message->>'device_id' AS named "
        "FROM orders JOIN order_messages USING (order_id) ORDER BY place",
    )
    assert [(row.order_id, row.label, row.named) for row in rows] == [
        ("c", None, None),
        ("a", "cleared", "d-1"),
        ("b", "chargeback", "d-1"),
    ]
    assert rows[0].device == 0 != rows[1].device == rows[2].device
    assert (rows[2].odd, rows[2].fraud_at) == (4.0, datetime(2026, 1, 20, tzinfo=UTC).timestamp())
    again = json.loads(reshelf("load", "--orders", str(path), "--json").output)
    assert (again["written"], again["duplicates"]) == (0, 3)
    assert tests.rows_of(database, "SELECT FROM due") == []


def test_rules_are_tried_on_what_came_and_then_decide(database: Engine, tmp_path: Path, reshelf: Reshelf) -> None:
    settings, start = Settings(home=tmp_path), datetime.now(UTC) - timedelta(days=3)
    made = [
        tests.order(
            n, start + timedelta(hours=n), device_id="d-1" if n < 4 else f"d-{n}", amount=500.0 * (n % 5 == 0) + 1
        )
        for n in range(20)
    ]
    tests.write(database, made)
    tests.work(database, Serving(database, settings), settings)
    tests.label(database, ("o-0", "chargeback"), ("o-5", "cleared"), ("o-7", "confirmed_fraud"))

    path = _rules(tmp_path)
    tried = json.loads(reshelf("fraud", "rules", "try", str(path), "--json").output)
    assert (tried["orders"], tried["frauds"]) == (20, 2)
    assert tried["rules"]["dear"] == {"decision": "decline", "fired": 4, "frauds": 1, "genuine": 1, "rested": 0}
    assert tried["rules"]["busy"]["fired"] == 2  # the third and the fourth from one device
    assert (tried["rules"]["modelled"]["fired"], tried["rules"]["modelled"]["rested"]) == (0, 20)
    assert tried["decisions"] == {"decline": 4, "review": 2, "approve": 14}
    assert {(one["from"], one["to"]): one["orders"] for one in tried["moves"]} == {
        ("approve", "decline"): 4,
        ("approve", "review"): 2,
    }
    assert json.loads(reshelf("fraud", "rules", "try", str(path), "--days", "2.52", "--json").output)["orders"] == 8
    assert "dear" in reshelf("fraud", "rules", "try", str(path)).output
    assert json.loads(reshelf("fraud", "rules", "list", "--json").output) == []

    assert "decides" in reshelf("fraud", "rules", "activate", str(path)).output
    assert len(json.loads(reshelf("fraud", "rules", "list", "--json").output)) == 1
    tests.write(database, [tests.order(100, datetime.now(UTC), amount=101.0)])
    tests.work(database, Serving(database, settings), settings)
    [row] = tests.rows_of(database, "SELECT decision FROM screenings WHERE order_id = 'o-100'")
    assert row.decision == "decline"
    assert reshelf("fraud", "replay", "o-100").output == "o-100: decline, the same again\n"


def test_a_wrong_file_of_rules_changes_nothing(tmp_path: Path, reshelf: Reshelf) -> None:
    path = _rules(tmp_path, RULES.replace("amount", "amout"))
    for action in ("check", "try", "activate"):
        refused = reshelf("fraud", "rules", action, str(path))
        assert refused.exit_code == 1
        assert "did you mean 'amount'?" in refused.output
    assert json.loads(reshelf("fraud", "rules", "list", "--json").output) == []


def _rules(folder: Path, content: str = RULES) -> Path:
    path = folder / "rules.toml"
    path.write_text(content)
    return path
