"""Two processes that train one model from one database: what they read, and who publishes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from model import artifact
from reshelf import parsing
from storage.events import intake
from storage.registry import models, training
from tests.support import ports
from tests.support import shop as shops
from workers import rows
from workers.recommend.training import data

# Several processes in turn start, and compile, on whatever cores there are.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(name="shop")
def _shop(database: Engine) -> Engine:
    _write(database, list(shops.history("past", shoppers=40, each=6)), items=40)
    return database


def _write(database: Engine, events: list[dict[str, Any]], items: int = 0) -> None:
    changes = parsing.parse_changes([shops.item(n) for n in range(items)]).good
    with database.begin() as connection:
        intake.write_changes(connection, [rows.change_row(change) for change in changes], writer="test")
        parsed = parsing.parse_events(events).good
        intake.write_events(connection, [rows.event_row(event) for event in parsed], writer="test")


def test_what_a_snapshot_holds_is_what_everybody_reads(shop: Engine) -> None:
    with training.snapshot(shop) as name:
        first = data.read(shop, snapshot=name)
        _write(shop, list(shops.history("late", shoppers=3, each=2)))
        second = data.read(shop, snapshot=name)
    for before, after in zip(first.interactions, second.interactions, strict=True):
        np.testing.assert_array_equal(after, before)
    assert second.items == first.items
    assert len(data.read(shop).interactions.users_E) == len(first.interactions.users_E) + 6


def test_two_processes_train_and_the_one_that_leads_publishes(shop: Engine, database_url: str, tmp_path: Path) -> None:
    shared = {
        "RESHELF_DATABASE_URL": database_url,
        "RESHELF_COORDINATOR": f"127.0.0.1:{ports.free_port()}",
        "RESHELF_PROCESSES": "2",
    }
    with ExitStack() as running:
        both = []
        for n in (0, 1):
            environ = {**os.environ, **shared, "RESHELF_HOME": str(tmp_path / str(n)), "RESHELF_PROCESS": str(n)}
            command = [sys.executable, "-m", "workers.cli", "train", "--preset", "tiny"]
            process = subprocess.Popen(
                command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            both.append(running.enter_context(process))
            running.callback(process.kill)
        said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert "Now serving recommend-" in said[0]
    assert "Now serving" not in said[1]
    with shop.connect() as connection:
        live = models.live(connection)
        assert live is not None
        assert [row.version for row in models.versions(connection)] == [live.version]
    figures = live.metrics
    assert figures["model"]["ndcg@10"] > figures["popularity"]["ndcg@10"]
    saved = artifact.load(tmp_path / "0" / "models" / live.version)
    assert len(saved.params["items.ids"]) == len(saved.ids) + 1  # without padding
    kept = [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*") if path.name != "cache"]
    assert kept == ["0/models"]
