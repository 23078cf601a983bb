"""`reshelf keys`: what it makes a gateway takes, and the user of the machine stands in the audit trail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from tests.support import gateways
from workers.cli import main
from workers.keys import local, service
from workers.settings import Settings

Reshelf = Callable[..., Result]


@pytest.fixture
def reshelf(database: Engine, database_url: str, tmp_path: Path) -> Reshelf:
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path), "LOGNAME": "eva"}

    def run(*arguments: str, status: int = 0) -> Result:
        done = CliRunner().invoke(main, ["keys", *arguments], env=environ | {"COLUMNS": "250"})
        assert done.exit_code == status, done.output
        return done

    return run


def test_made_listed_rotated_and_revoked(reshelf: Reshelf, database_url: str) -> None:
    assert "no key yet" in reshelf("list").output
    made = reshelf("make", "storefront", "--scope", "events", "--rate", "50", "--days", "90", "--owner", "web")
    key = made.stdout.strip()
    assert key.startswith("reshelf_")
    assert "shown once" in made.stderr
    listed = reshelf("list").output
    assert all(word in listed for word in ("storefront", "events", "50/s", "web", key.split("_")[1]))
    assert key not in listed
    with gateways.client(Settings(database_url=database_url)) as gateway:
        sent = gateway.post("/v1/events", json=[], headers=gateways.bearer(key))
        assert (sent.status_code, sent.json()["error"]["field"]) == (400, "body")
        assert gateway.get("/v1/popular", headers=gateways.bearer(key)).status_code == 403
    other = reshelf("rotate", "storefront").stdout.strip()
    assert other not in ("", key)
    assert len(reshelf("revoke", "storefront").output.split(",")) == 2
    assert "before" in reshelf("revoke", "storefront").output
    rows = json.loads(reshelf("list", "--json").output)
    assert [row["revoked_at"] is not None for row in rows] == [True, True]
    lines = json.loads(reshelf("audit", "--json").output)
    assert [line["action"] for line in lines] == ["key revoked", "key revoked", "key rotated", "key made"]
    assert {(line["actor"], line["via"]) for line in lines} == {("eva", "command")}
    assert "key rotated  storefront" in reshelf("audit").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("make", "a:b", "--scope", "read"), "name"),
        (("make", "a", "--scope", "read", "--rate", "-1"), "rate"),
        (("revoke", "nobody"), "no key 'nobody'"),
        (("rotate", "nobody"), "no key 'nobody'"),
    ],
)
def test_what_cannot_be_done_ends_with_one_line(reshelf: Reshelf, arguments: tuple[str, ...], said: str) -> None:
    output = reshelf(*arguments, status=1).output
    assert said in output
    assert "Traceback" not in output


def test_the_key_of_a_folder_is_made_once_and_read_by_its_owner_alone(database: Engine, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with database.begin() as connection:
        made = local.ensure(connection, home)
    assert made is not None
    assert local.read(home) == made == local.for_client(Settings(home=home))
    assert local.path(home).stat().st_mode & 0o777 == 0o600
    with database.begin() as connection:
        assert local.ensure(connection, home) is None
    assert local.for_client(Settings(home=home, api_keys=" first, second")) == "first"


def test_a_folder_without_its_key_gets_another_and_a_revoked_one_stays_revoked(
    database: Engine, tmp_path: Path
) -> None:
    with database.begin() as connection:
        lost = local.ensure(connection, tmp_path)
    local.path(tmp_path).unlink()
    with database.begin() as connection:
        found = local.ensure(connection, tmp_path)
    assert found not in (None, lost)
    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL")).scalar_one() == 1
        service.revoke(
            connection, connection.execute(text("SELECT name FROM api_keys")).scalars().all()[0], gateways.TEST
        )
    with database.begin() as connection:
        assert local.ensure(connection, tmp_path) is None
        assert connection.execute(text("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL")).scalar_one() == 0
