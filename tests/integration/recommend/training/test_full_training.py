"""Training on a real database: from events to a served version, and back to the one before."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from model import artifact
from model.recommend.training.loop import Progress
from storage import due
from storage.events import intake
from storage.registry import models, training
from workers.cli import main
from workers.recommend.training import data, full_training, gate, publish, rank_requests
from workers.registry import versions
from workers.registry.errors import NotEnoughData
from workers.settings import Settings

ASKED = full_training.Training(preset="tiny", minutes=0.05)


def _fill(database: Engine, shoppers: int = 30, items: int = 12) -> None:
    """Two kinds of shopper, each with its own half of the catalogue; item `gone` was never announced."""
    chance = random.Random(0)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    events = [
        {
            "event_id": f"{shopper}:{n}", "shopper": f"u{shopper}", "kind": "purchase",
            "item_id": "gone" if n == 0 else f"i{shopper % 2 + 2 * chance.randrange(items // 2)}",
            "at": start + timedelta(days=n, minutes=shopper), "value": None, "quantity": 1.0, "session_id": None,
            "surface": None, "request_id": None, "query": None, "context": {},
        }
        for shopper in range(shoppers) for n in range(5)
    ]  # fmt: skip
    changes = [
        {
            "change_id": f"c{n}", "item_id": f"i{n}", "at": start, "announces": True,
            "fields": {"title": f"Item {n}", "category": f"c{n % 2}", "deleted_at": None},
        }
        for n in range(items)
    ]  # fmt: skip
    with database.begin() as connection:
        intake.write_events(connection, events, writer="test")
        intake.write_changes(connection, changes, writer="test")


def test_train_publishes_a_version_that_ranks(database: Engine, tmp_path: Path) -> None:
    _fill(database)
    with database.begin() as connection:
        connection.execute(text("TRUNCATE due"))
    epochs = []
    report = full_training.train(database, Settings(home=tmp_path), ASKED, epochs.append)
    assert len(epochs) == report.epochs > 0
    assert (report.users, report.items, report.events) == (30, 13, 150)
    assert set(report.metrics) == {"model", "popularity", "cooccurrence"}
    assert Path(report.path).parent == tmp_path / "models"
    assert artifact.load(report.path).ids
    with database.connect() as connection:
        live = models.live(connection)
        assert live is not None
        assert (live.version, live.parent) == (report.version, None)
        assert live.metrics == json.loads(json.dumps(report.metrics))
        assert {backlog.kind: backlog.count for backlog in due.summary(connection)} == {"shopper": 30, "item": 12}
    with database.begin() as connection:
        first = due.claim(connection, due.SHOPPER, limit=2, lease=1)
    assert {claim.key for claim in first} == {"u28", "u29"}


def test_the_pointer_switches_and_rolls_back(database: Engine, tmp_path: Path) -> None:
    _fill(database)
    settings = Settings(home=tmp_path)
    one = full_training.train(database, settings, ASKED)
    unpublished = full_training.train(
        database, settings, full_training.Training(preset="tiny", minutes=0.02, serve=False)
    )
    with database.begin() as connection:
        assert models.live(connection).version == one.version  # type: ignore[union-attr]  # there is one
        assert [row.version for row in models.versions(connection)] == [unpublished.version, one.version]
        assert models.versions(connection)[0].parent == one.version
        assert models.switch(connection, unpublished.version) == one.version
        assert models.switch(connection, one.version) == unpublished.version
        with pytest.raises(models.UnknownVersion, match=f"no model version 'nonesuch'.*{one.version}"):
            models.switch(connection, "nonesuch")


def test_one_training_at_a_time(database: Engine, tmp_path: Path) -> None:
    _fill(database)
    with training.exclusive(database, models.RECOMMEND):
        with pytest.raises(training.TrainingRuns, match="runs already"):
            full_training.train(database, Settings(home=tmp_path), ASKED)
        with training.exclusive(database, "fraud"):
            pass
    with training.exclusive(database, models.RECOMMEND):
        pass


def test_what_is_read_is_what_was_written(database: Engine) -> None:
    _fill(database, shoppers=2)
    known = data.read(database)
    assert [item.item_id for item in known.items if not item.available] == ["gone"]
    assert known.users == ["u0", "u1"]
    history = rank_requests.histories(known, [1])[0]
    assert [event.item_id for event in history][0] == "gone"
    assert [event.at for event in history] == [
        datetime(2024, 1, 1 + day, 0, 1, tzinfo=UTC).timestamp() for day in range(5)
    ]


def test_too_little_data_says_what_is_missing(database: Engine, database_url: str, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="there are no events"):
        data.read(database)
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path)}
    done = CliRunner().invoke(main, ["train", "--preset", "tiny"], env=environ)
    assert done.exit_code == 1
    assert "there are no events to learn from" in done.stderr


def test_a_model_that_ranks_otherwise_once_saved_is_an_error(database: Engine, tmp_path: Path) -> None:
    _fill(database)
    known = data.read(database)
    report = full_training.train(database, Settings(home=tmp_path), full_training.Training(preset="tiny", minutes=0.02))
    good = artifact.load(report.path)
    other = {name: value[::-1] for name, value in good.params.items() if name == "items.ids"}
    bad = artifact.Artifact(good.kind, {**good.params, **other}, good.config, good.ids)
    rankers = [gate.loaded(weights, known.items) for weights in (good, bad)]
    publish.verify(rankers[0], rankers[0], rank_requests.golden(known))
    with pytest.raises(versions.VerificationFailed, match=r"golden request \d+ got .*before saving"):
        publish.verify(rankers[0], rankers[1], rank_requests.golden(known))


def test_the_command_trains_and_reports(database: Engine, database_url: str, tmp_path: Path) -> None:
    _fill(database)
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(tmp_path)}
    arguments = ["train", "--preset", "tiny", "--minutes", "0.02"]
    done = CliRunner().invoke(main, arguments, env=environ, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    assert "Now serving recommend-" in done.stdout
    assert "Held out: each shopper's last basket" in done.stdout.replace("\n", " ")


def test_a_killed_training_goes_on_and_leaves_no_checkpoint(database: Engine, tmp_path: Path) -> None:
    _fill(database)
    settings = Settings(home=tmp_path)
    asked = full_training.Training(preset="tiny", serve=False)

    def kill(epoch: Progress) -> None:
        if epoch.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        full_training.train(database, settings, asked, kill)
    assert list((tmp_path / "training").rglob("train/*"))
    seen: list[Progress] = []
    report = full_training.train(database, settings, asked, seen.append)
    assert (seen[0].phase, seen[0].epoch) == ("train", 4)
    assert not (tmp_path / "training" / "full").exists()
    assert Path(report.curve).read_bytes().startswith(b"\x89PNG")
