"""Fine-tuning on a real database: what came since is learned, once, and a killed update goes on."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from model import artifact
from model.errors import ArtifactError
from model.recommend.training.loop import Progress
from storage import due
from storage.events import intake
from storage.registry import models, updates
from workers.cli import main
from workers.recommend.training import finetuning as learning
from workers.recommend.training import full_training, waiting
from workers.registry import model_store, schedule
from workers.registry.errors import NothingToLearn
from workers.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOPPERS = 40


def _event(shopper: int, item: str, at: datetime) -> dict[str, Any]:
    return {
        "event_id": f"{shopper}:{at.isoformat()}", "shopper": f"u{shopper}", "kind": "purchase", "item_id": item,
        "at": at, "value": None, "quantity": 1.0, "session_id": None, "surface": None, "request_id": None,
        "query": None, "context": {},
    }  # fmt: skip


def _announce(database: Engine, numbers: range, at: datetime) -> None:
    changes = [
        {
            "change_id": f"c{n}", "item_id": f"i{n}", "at": at, "announces": True,
            "fields": {"title": f"Item {n}", "category": f"c{n % 2}", "deleted_at": None},
        }
        for n in numbers
    ]  # fmt: skip
    with database.begin() as connection:
        intake.write_changes(connection, changes, writer="test")


def _buy(database: Engine, days: range, items: int, *, seed: int) -> None:
    """Every shopper buys daily from a half of the catalogue."""
    chance = random.Random(seed)
    events = [
        _event(
            shopper,
            f"i{shopper % 2 + 2 * chance.randrange(items // 2)}",
            START + timedelta(days=day, minutes=shopper),
        )
        for shopper in range(SHOPPERS)
        for day in days
    ]
    with database.begin() as connection:
        intake.write_events(connection, events, writer="test")


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, finetune_events=120, finetune_hours=0.0)


@pytest.fixture(name="first")
def _first(database: Engine, settings: Settings) -> str:
    """The version that serves; it knows six days of twenty items."""
    _announce(database, range(20), START)
    _buy(database, range(6), 20, seed=0)
    report = full_training.train(database, settings, full_training.Training(preset="tiny"))
    assert report.published
    return report.version


def _live(database: Engine) -> Any:
    with database.connect() as connection:
        return models.live(connection)


def test_the_first_model_is_trained_unasked_when_enough_shoppers_have_settled(
    database: Engine, settings: Settings
) -> None:
    settings = msgspec.structs.replace(settings, first_training_shoppers=SHOPPERS, preset="tiny")
    later = datetime.now(UTC) + timedelta(hours=1)
    _announce(database, range(20), START)
    _buy(database, range(2), 20, seed=0)
    assert waiting.reason_for_first(database, settings, now=later) is None
    _buy(database, range(2, 6), 20, seed=0)
    assert waiting.reason_for_first(database, settings) is None
    assert waiting.reason_for_first(database, settings, now=later) == "40 shoppers with 3 events and more"
    assert waiting.reason_for_first(database, msgspec.structs.replace(settings, first_training_shoppers=0)) is None

    report = full_training.train_first(database, settings)
    assert report.published, report.reasons
    assert _live(database).version == report.version
    assert waiting.reason_for_first(database, settings, now=later) is None


def test_a_first_model_that_was_refused_or_failed_is_tried_once_a_day(database: Engine, settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, first_training_shoppers=SHOPPERS)
    now = datetime.now(UTC) + timedelta(hours=1)
    _announce(database, range(20), START)
    _buy(database, range(6), 20, seed=0)
    refused = full_training.train(database, settings, full_training.Training(preset="tiny", serve=False))
    assert not refused.published
    assert waiting.reason_for_first(database, settings, now=now) is None
    tomorrow = now + timedelta(days=1)
    assert waiting.reason_for_first(database, settings, now=tomorrow) is not None
    with database.begin() as connection:
        for _ in range(schedule.MOST_ATTEMPTS):
            updates.note_attempt(connection, models.RECOMMEND, f"first-{tomorrow:%Y-%m-%d}")
    assert waiting.reason_for_first(database, settings, now=tomorrow) is None
    assert waiting.reason_for_first(database, settings, now=tomorrow + timedelta(days=1)) is not None


def test_an_update_serves_and_knows_what_is_new(database: Engine, settings: Settings, first: str) -> None:
    assert waiting.reason(database, settings) is None
    _announce(database, range(20, 24), START + timedelta(days=6))
    _buy(database, range(6, 12), 24, seed=1)
    assert waiting.reason(database, settings) == "240 new events"
    with database.begin() as connection:
        connection.execute(text("TRUNCATE due"))
    seen: list[Progress] = []
    report = learning.update(database, settings, seen.append)
    assert report.published, report.reasons
    assert [epoch.phase for epoch in seen] == ["finetune"] * report.epochs
    live = _live(database)
    assert (live.version, live.parent, live.how) == (report.version, first, models.INCREMENTAL)
    assert live.learnt_through == START + timedelta(days=11, minutes=SHOPPERS - 1)
    assert live.gate["passed"]
    saved, before = (artifact.load(settings.home / "models" / version) for version in (report.version, first))
    assert set(saved.ids) - set(before.ids) == {"i20", "i21", "i22", "i23"}
    assert saved.ids[: len(before.ids)] == before.ids
    with database.connect() as connection:
        assert {backlog.kind for backlog in due.summary(connection)} == {"shopper", "item"}
        assert [updates.attempts(connection, models.RECOMMEND, one) for one in (first, report.version)] == [0, 0]
    assert waiting.reason(database, settings) is None
    assert Path(report.curve).read_bytes().startswith(b"\x89PNG")


def test_the_optimizer_goes_on_from_version_to_version(database: Engine, settings: Settings, first: str) -> None:
    _buy(database, range(6, 9), 20, seed=1)
    second = learning.update(database, settings).version
    kept = [artifact.load_arrays(model_store.moments(settings.home, version)) for version in (first, second)]
    steps = [next(value for value in arrays.values() if value.ndim == 0) for arrays in kept if arrays]
    assert steps[1] > steps[0] > 0


def test_a_killed_update_goes_on_with_the_events_it_began_with(
    database: Engine, settings: Settings, first: str
) -> None:
    _buy(database, range(6, 9), 20, seed=1)

    def kill(epoch: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learning.update(database, settings, kill)
    with database.connect() as connection:
        assert updates.attempts(connection, models.RECOMMEND, first) == 1
    _buy(database, range(9, 12), 20, seed=2)
    _announce(database, range(20, 22), START + timedelta(days=9))
    seen: list[Progress] = []
    report = learning.update(database, settings, seen.append)
    assert seen[0].epoch == 2
    assert report.events == 9 * SHOPPERS
    assert _live(database).learnt_through == START + timedelta(days=8, minutes=SHOPPERS - 1)
    again = learning.update(database, settings)
    assert again.events == 12 * SHOPPERS
    assert not (settings.home / "training").exists()


def test_what_failed_five_times_is_left_to_people(database: Engine, settings: Settings, first: str) -> None:
    _buy(database, range(6, 12), 20, seed=1)

    folder = settings.home / "models" / first
    folder.rename(folder.with_suffix(".lost"))
    for _ in range(5):
        assert waiting.reason(database, settings) is not None
        with pytest.raises(ArtifactError, match="does not exist"):
            learning.update(database, settings)
    assert waiting.reason(database, settings) is None
    folder.with_suffix(".lost").rename(folder)
    assert learning.update(database, settings).published


def test_nothing_new_and_nothing_live_are_said_so(database: Engine, settings: Settings) -> None:
    assert waiting.reason(database, settings) is None
    with pytest.raises(NothingToLearn, match="run `reshelf train` first"):
        learning.update(database, settings)


def test_a_version_that_knows_everything_waits(database: Engine, settings: Settings, first: str) -> None:
    with pytest.raises(NothingToLearn, match=f"{first} knows all that happened up to 2026-01-06"):
        learning.update(database, settings)


def test_moments_of_a_lost_file_begin_anew(database: Engine, settings: Settings, first: str) -> None:
    model_store.moments(settings.home, first).unlink()
    _buy(database, range(6, 9), 20, seed=1)
    report = learning.update(database, settings)
    assert np.isfinite(artifact.load(report.path).params["items.ids"]).all()
    assert _live(database).parent == first


def test_the_command_says_what_it_did_or_why_not(
    database: Engine, database_url: str, settings: Settings, first: str
) -> None:
    environ = {"RESHELF_DATABASE_URL": database_url, "RESHELF_HOME": str(settings.home)}
    done = CliRunner().invoke(main, ["finetune"], env=environ)
    assert done.exit_code == 1
    assert f"{first} knows all that happened" in done.stderr
    _buy(database, range(6, 9), 20, seed=1)
    done = CliRunner().invoke(main, ["finetune"], env=environ, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "Held out: the newest baskets of a sample of shoppers" in told
    assert f"(before: {first})" in told
