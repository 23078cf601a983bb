"""Two processes that train one model from one database: what they read, and who publishes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from model import artifact
from storage import intake, models, training
from tests.stack import free_port, history, item
from workers.contract import parsing, rows
from workers.learn import data, service
from workers.settings import Settings

ASKED = service.Training(preset="tiny")


@pytest.fixture(name="shop")
def _shop(database: Engine) -> Engine:
    _write(database, list(history("past", shoppers=40, each=6)), items=40)
    return database


def _write(database: Engine, events: list[dict[str, Any]], items: int = 0) -> None:
    changes = parsing.parse_changes([item(n) for n in range(items)]).good
    with database.begin() as connection:
        intake.write_changes(connection, [rows.change_row(change) for change in changes], writer="test")
        parsed = parsing.parse_events(events).good
        intake.write_events(connection, [rows.event_row(event) for event in parsed], writer="test")


def test_what_a_snapshot_holds_is_what_everybody_reads(shop: Engine) -> None:
    with training.snapshot(shop) as name:
        first = data.read(shop, snapshot=name)
        _write(shop, list(history("late", shoppers=3, each=2)))
        second = data.read(shop, snapshot=name)
    for before, after in zip(first.interactions, second.interactions, strict=True):
        np.testing.assert_array_equal(after, before)
    assert second.items == first.items
    assert len(data.read(shop).interactions.users_E) == len(first.interactions.users_E) + 6


def test_two_processes_publish_one_model_which_one_would_have_made(
    shop: Engine, database_url: str, tmp_path: Path
) -> None:
    alone = service.train(shop, Settings(home=tmp_path / "alone"), ASKED)
    shared = {
        "RESHELF_DATABASE_URL": database_url,
        "RESHELF_COORDINATOR": f"127.0.0.1:{free_port()}",
        "RESHELF_PROCESSES": "2",
    }
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "train", "--preset", "tiny"],
            env={**os.environ, **shared, "RESHELF_HOME": str(tmp_path / str(n)), "RESHELF_PROCESS": str(n)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for n in (0, 1)
    ]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert "Now serving recommend-" in said[0]
    assert "Now serving" not in said[1]
    with shop.connect() as connection:
        versions = models.versions(connection)
    assert len(versions) == 2
    assert versions[0].parent == alone.version
    assert versions[0].metrics["model"] == pytest.approx(alone.metrics["model"], abs=0.05)
    assert not (tmp_path / "1" / "models").exists()
    assert not (tmp_path / "0" / "training").exists()
    one = artifact.load(alone.path)
    two = artifact.load(tmp_path / "0" / "models" / versions[0].version)
    assert two.ids == one.ids
    assert two.params["items.ids"].shape == one.params["items.ids"].shape
    np.testing.assert_array_equal(two.params["transitions.totals_N"], one.params["transitions.totals_N"])
