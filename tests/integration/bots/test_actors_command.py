"""`reshelf actors`: what is listed, and what a person changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from storage.bots import actors
from storage.bots.actors import Suspicion
from storage.keys import audit
from workers.cli import main
from workers.privacy import service
from workers.settings import Settings

Reshelf = Callable[..., Result]


@pytest.fixture
def reshelf(database: Engine, database_url: str, broker_url: str, tmp_path: Path) -> Reshelf:
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_BROKER_URL": broker_url, "RESHELF_HOME": str(tmp_path)}

    def run(*arguments: str) -> Result:
        done = CliRunner().invoke(main, ["actors", *arguments], env=environ | {"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done

    return run


def test_flagged_listed_and_cleared(reshelf: Reshelf, database: Engine, tmp_path: Path) -> None:
    assert reshelf("list").output == "nobody is flagged\n"
    assert reshelf("flag", "mob", "session:7", "mob", "--why", "seen it").output == "2 flagged\n"
    assert reshelf("flag", "mob", "bob").output == "1 flagged, 1 were already\n"
    listed = reshelf("list").output
    assert all(word in listed for word in ("session:7", "bob", "seen it", "by hand", "command"))
    assert reshelf("clear", "mob", "ann").output == "1 cleared, 1 were not flagged\n"
    [cleared] = json.loads(reshelf("list", "--cleared", "--json").output)
    assert (cleared["shopper"], cleared["flagged"], cleared["cleared_by"]) == ("mob", False, "command")
    assert [one["shopper"] for one in json.loads(reshelf("list", "--json", "--last", "1").output)] == ["bob"]
    with database.connect() as connection:
        lines = audit.recent(connection)
    assert {line.via for line in lines} == {"command"}
    assert sorted(line.action for line in lines) == ["actor cleared", *["actor flagged"] * 3]
    mob = service.pseudonym(Settings(home=tmp_path), "mob")
    assert sorted(line.action for line in lines if line.subject == mob) == ["actor cleared", "actor flagged"]
    assert not any(name in line.subject for line in lines for name in ("mob", "bob", "session:7"))


def test_what_the_detector_saw_is_shown_as_it_is(reshelf: Reshelf, database: Engine) -> None:
    with database.begin() as connection:
        actors.flag(connection, [Suspicion("[red]mob", ["lockstep"], "with [others]")], by=actors.DETECTOR)
    listed = reshelf("list").output
    assert "[red]mob" in listed
    assert "with [others]" in listed
