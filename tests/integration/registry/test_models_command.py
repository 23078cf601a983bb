"""`reshelf models` on real versions: what is listed and compared, and which one serves afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from model import artifact
from model.artifact import Artifact
from storage import due
from storage.registry import models, training
from workers import settings as configuration
from workers.cli import main
from workers.registry import model_store
from workers.settings import Settings
from workers.upkeep import reconcile

Reshelf = Callable[..., Result]

WEIGHTS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}
ONE, TWO, BAD = (f"recommend-2026010{n}T000000-00000{n}" for n in (1, 2, 3))
PASSED = {"passed": True, "reasons": [], "notes": [], "compared_with": "popularity", "cases": 60, "figures": {}}


@pytest.fixture(name="registered")
def _registered(database: Engine, tmp_path: Path) -> Engine:
    """Two good versions, of which the first serves, and one that the gate rejected."""
    rejected = PASSED | {"passed": False, "reasons": ["constant scores: all alike"], "compared_with": None}
    for version, parent, gate, ndcg in ((ONE, None, PASSED, 0.25), (TWO, ONE, PASSED, 0.3), (BAD, ONE, rejected, 0.1)):
        _keep(database, tmp_path, version, parent=parent, gate=gate, ndcg=ndcg)
    with database.begin() as connection:
        models.switch(connection, ONE)
    return database


def _keep(database: Engine, home: Path, version: str, *, ndcg: float = 0.2, **origin: Any) -> None:
    metrics = {"model": {"ndcg@10": ndcg}, "popularity": {"ndcg@10": 0.05}}
    config = {"dim": 16, "blocks": 1 if version == ONE else 2, "kind_weights": {"view": 0.3}}
    digest = artifact.save(configuration.model_folder(home, version), Artifact("recommend", WEIGHTS, config))
    with database.begin() as connection:
        models.register(connection, version, config=config, metrics=metrics, digest=digest, **origin)


@pytest.fixture(name="reshelf")
def _reshelf(registered: Engine, database_url: str, broker_url: str, tmp_path: Path) -> Reshelf:
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_BROKER_URL": broker_url, "RESHELF_HOME": str(tmp_path)}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["models", *arguments], env=environ | {"COLUMNS": "200"})

    return run


def _serving(database: Engine) -> str | None:
    with database.connect() as connection:
        live = models.live(connection)
    return None if live is None else live.version


def test_every_version_is_listed_with_what_is_known_of_it(reshelf: Reshelf, registered: Engine) -> None:
    done = reshelf("list")
    assert done.exit_code == 0, done.output
    cells = [line.split("│")[1:] for line in done.stdout.splitlines() if "│" in line]
    rows = {row[1].strip(): " ".join(row) for row in cells}
    assert "live" in rows[ONE]
    assert "0.2500" in rows[ONE]
    assert "live" not in rows[TWO]
    assert ONE in rows[TWO]
    assert "rejected" in rows[BAD]
    assert f"{BAD} was rejected: constant scores: all alike" in done.stdout
    listed = json.loads(reshelf("list", "--json").stdout)
    assert [(row["version"], row["live"], row["ndcg@10"]) for row in listed] == [
        (BAD, False, 0.1), (TWO, False, 0.3), (ONE, True, 0.25),
    ]  # fmt: skip


def test_two_versions_are_compared(reshelf: Reshelf) -> None:
    done = reshelf("compare", ONE, TWO)
    assert done.exit_code == 0, done.output
    assert "+0.0500" in done.stdout
    found = json.loads(reshelf("compare", ONE, TWO, "--json").stdout)
    assert {"name": "model.ndcg@10", "one": 0.25, "other": 0.3} in found["metrics"]
    assert {"name": "popularity.ndcg@10", "one": 0.05, "other": 0.05} in found["metrics"]
    assert found["config"] == [{"name": "blocks", "one": 1, "other": 2}]
    assert {"name": "parent", "one": None, "other": ONE} in found["origin"]
    unknown = reshelf("compare", ONE, "nonesuch")
    assert unknown.exit_code == 1
    assert f"no model version 'nonesuch'; registered are: {BAD}, {TWO}, {ONE}" in unknown.stderr


def test_promoted_and_rolled_back(reshelf: Reshelf, registered: Engine) -> None:
    with registered.begin() as connection:
        training.mark_items(connection)
    done = reshelf("promote", TWO)
    assert done.exit_code == 0, done.output
    assert f"{TWO} serves instead of {ONE}" in done.stdout
    assert _serving(registered) == TWO
    again = reshelf("promote", TWO)
    assert again.exit_code == 1
    assert "serves already" in again.stderr
    back = reshelf("rollback")
    assert back.exit_code == 0, back.output
    assert _serving(registered) == ONE
    no_further = reshelf("rollback")
    assert no_further.exit_code == 1
    assert f"nothing served before {ONE}" in no_further.stderr
    with registered.connect() as connection:
        assert [row.why for row in models.switches(connection)] == ["rolled back", "promoted", "published"]


def test_a_rejected_version_has_to_be_forced(reshelf: Reshelf, registered: Engine) -> None:
    done = reshelf("promote", BAD)
    assert done.exit_code == 1
    assert "the gate rejected" in done.stderr
    assert "constant scores" in done.stderr
    assert _serving(registered) == ONE
    assert reshelf("promote", BAD, "--force").exit_code == 0
    assert _serving(registered) == BAD
    with registered.connect() as connection:
        assert models.switches(connection)[0].why == "forced"


@pytest.mark.parametrize("harm", ["missing", "altered", "another"])
def test_a_damaged_version_is_not_promoted(reshelf: Reshelf, registered: Engine, tmp_path: Path, harm: str) -> None:
    folder = configuration.model_folder(tmp_path, TWO)
    if harm == "altered":
        (folder / "description.json").write_text("{}")
    else:
        shutil.rmtree(folder)
    if harm == "another":
        artifact.save(folder, artifact.load(configuration.model_folder(tmp_path, ONE)))
    done = reshelf("promote", TWO)
    assert done.exit_code == 1
    expected = {"missing": "does not exist", "altered": "was altered", "another": "holds another model"}
    assert expected[harm] in done.stderr
    assert _serving(registered) == ONE


def test_without_versions_the_next_step_is_named(database_url: str, tmp_path: Path) -> None:
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path)}
    assert "`reshelf train` makes one" in CliRunner().invoke(main, ["models", "list"], env=environ).stdout
    done = CliRunner().invoke(main, ["models", "rollback"], env=environ)
    assert (done.exit_code, "no version serves" in done.stderr) == (1, True)


def test_old_weights_are_deleted_and_what_may_be_wanted_stays(registered: Engine, tmp_path: Path) -> None:
    names = [models.version_name(models.RECOMMEND, datetime(2026, 2, day, tzinfo=UTC), "00abcd") for day in range(1, 7)]
    for version in names:
        _keep(registered, tmp_path, version)
        model_store.curve(tmp_path, version).touch()
    with registered.begin() as connection:
        for version in (names[0], names[5], names[4], names[5]):
            models.switch(connection, version)
        due.mark(connection, due.ITEM, ["a"])
    settings = Settings(home=tmp_path, model_retention=2)
    with training.exclusive(registered, models.RECOMMEND):  # a training runs: not now
        reconcile.maintain(registered, settings)
    assert len(list((tmp_path / "models").glob("recommend-*-??????"))) == 9
    first = model_store.forget_old(registered, tmp_path, keep=2, also=[names[2]])
    assert set(first) == {ONE, TWO, BAD, names[1], names[3]}
    reconcile.maintain(registered, Settings(home=tmp_path, model_retention=3))
    # The last three switches were between these; names[2] was wanted by somebody, and then by nobody.
    kept = [names[0], names[4], names[5]]
    left = {path.name for path in (tmp_path / "models").iterdir()}
    assert left == {version + ending for version in kept for ending in ("", ".png")}
    with registered.connect() as connection:
        gone = {row.version for row in models.versions(connection) if row.forgotten_at is not None}
    assert gone == {ONE, TWO, BAD, names[1], names[2], names[3]}


def test_weights_on_another_machine_are_not_taken_for_deleted(registered: Engine, tmp_path: Path) -> None:
    shutil.rmtree(configuration.model_folder(tmp_path, TWO))
    assert model_store.forget_old(registered, tmp_path, keep=0) == [BAD]
    with registered.connect() as connection:
        assert models.get(connection, TWO).forgotten_at is None
