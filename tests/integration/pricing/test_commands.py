"""`reshelf pricing` on a running shop's database: rules, decisions, the stop, and what the audit trail says of them."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from sqlalchemy import Engine

from storage.keys import audit
from storage.pricing import proposals
from storage.pricing import rules as price_rules
from workers.cli import main


def _run(database_url: str, home: Path, *arguments: str, pricing: str = "true") -> Result:
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(home), "RESHELF_PRICING": pricing}
    return CliRunner().invoke(main, ["pricing", *arguments], env=environ)


def test_commands_decide_and_leave_a_line_each(database: Engine, database_url: str, tmp_path: Path) -> None:
    row = {
        "item_id": "i1", "price": 10.0, "proposed": 11.0, "currency": "EUR", "objective": "revenue", "expects": {},
        "reason": "a test", "bitten": [], "propensity": 1.0, "policy": "test", "state": "proposed",
    }  # fmt: skip
    with database.begin() as connection:
        proposals.write(connection, [row])
    (tmp_path / "rules.json").write_text('{"step": 0.05}')
    for arguments in (
        ("rules", "category", "Lamps", "--set", str(tmp_path / "rules.json")),
        ("approve", "1"),
        ("freeze", "category", "Lamps"),
        ("unfreeze", "category", "Lamps"),
        ("stop",),
        ("resume",),
        ("rules", "category", "Lamps", "--drop"),
        ("rollback", "--since", "2026-01-01"),
    ):
        done = _run(database_url, tmp_path, *arguments)
        assert done.exit_code == 0, done.output
    assert '"state":"approved"' in _run(database_url, tmp_path, "proposals", "--json").output
    with database.connect() as connection:
        assert [line.action for line in reversed(audit.recent(connection))] == [
            "price rules set", "price approved", "prices frozen", "prices unfrozen", "prices stopped",
            "prices resumed", "price rules deleted",
            "prices taken back",
        ]  # fmt: skip
        assert price_rules.every(connection) == []


def test_what_cannot_be_done_is_said(database_url: str, tmp_path: Path) -> None:
    for arguments, said in (
        (("unfreeze", "item", "i1"), "item i1 is not frozen"),
        (("freeze", "item"), "the scope shop has no name"),
        (("approve", "7"), "proposal 7 is not there"),
        (("rules", "category", "Lamps", "--drop"), "there are no rules for category Lamps"),
        (("rules", "--drop"), "need a scope"),
        (("rules", "shop", "Lamps"), "the scope shop has no name"),
    ):
        done = _run(database_url, tmp_path, *arguments)
        assert done.exit_code != 0
        assert said in done.output


def test_where_pricing_is_off_nothing_is_approved(database_url: str, tmp_path: Path) -> None:
    for arguments in (("approve", "1"), ("rollback", "--since", "2026-01-01")):
        done = _run(database_url, tmp_path, *arguments, pricing="false")
        assert done.exit_code != 0
        assert "RESHELF_PRICING=true" in done.output
