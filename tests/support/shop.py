"""A small shop in a database, whose shoppers each like one group of items, and a live model of it."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from model import artifact
from reshelf import parsing
from storage.events import intake
from storage.registry import models
from workers import rows
from workers import settings as configuration
from workers.recommend.training import data, full_training
from workers.registry import switching
from workers.settings import Settings

ITEMS = 60
GROUPS = 4
_TRAINED = Path(tempfile.mkdtemp(prefix="reshelf-tests-model-"))


def item(n: int) -> dict[str, Any]:
    """Return the announcement of item `n`, which belongs to group `n % GROUPS`."""
    group = ("phone", "lamp", "shoe", "tea")[n % GROUPS]
    return {
        "kind": "upsert",
        "change_id": f"announce-{n}",
        "item_id": f"item-{n}",
        "at": "2026-01-01T00:00:00Z",
        "title": f"{group} model {n}",
        "category": group,
        "price": 10.0 + n,
    }


def history(prefix: str, *, shoppers: int, each: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield clicks and purchases in time order, shopper `n` staying in group `n % GROUPS`."""
    draw = random.Random(seed)
    start = datetime(2026, 2, 1, tzinfo=UTC)
    for step in range(each):
        for shopper in range(shoppers):
            chosen = draw.randrange(ITEMS // GROUPS) * GROUPS + shopper % GROUPS
            yield {
                "event_id": f"{prefix}-{shopper}-{step}",
                "user_id": f"{prefix}-{shopper}",
                "item_id": f"item-{chosen}",
                "kind": draw.choice(("view", "click", "purchase")),
                "at": (start + timedelta(minutes=step * 60, seconds=shopper)).isoformat(),
            }


def train(database: Engine, settings: Settings) -> None:
    """Write a small shop whose shoppers each like one group of items, and train and publish a model of it."""
    with database.begin() as connection:
        announced = parsing.parse_changes([item(n) for n in range(ITEMS)])
        intake.write_changes(connection, [rows.change_row(change) for change in announced.good], writer="seed")
        past = parsing.parse_events(list(history("past", shoppers=40, each=8)))
        intake.write_events(connection, [rows.event_row(event) for event in past.good], writer="seed")
    assert not announced.bad + past.bad
    _publish(database, settings)
    with database.begin() as connection:
        connection.execute(text("TRUNCATE intake_counts"))


def _publish(database: Engine, settings: Settings) -> None:
    """Train on this shop the first time; every later stack has the same shop and takes the same model."""
    folder = _TRAINED / "model"
    if not folder.exists():
        report = full_training.train(database, settings, full_training.Training(preset=settings.preset))
        shutil.copytree(report.path, folder)
        return
    version = models.version_name(models.RECOMMEND, datetime.now(UTC), "00c0de")
    shutil.copytree(folder, configuration.model_folder(settings.home, version))
    trained = artifact.load(folder)
    through = data.read(database).through
    with database.begin() as connection:
        models.register(
            connection, version, config=trained.config, metrics=trained.metrics, learnt_through=through,
            digest=trained.digest,
        )  # fmt: skip
    switching.switch(database, version)


def another(database: Engine, settings: Settings, digest: str, *, louder: float = 0.1) -> str:
    """Register a version beside the live one that trusts its network a little more; return its name."""
    with database.connect() as connection:
        live = models.live(connection)
    assert live is not None
    good = artifact.load(configuration.model_folder(settings.home, live.version))
    gain = good.params["blend.log_gain"]
    made = replace(good, params={**good.params, "blend.log_gain": gain + gain.dtype.type(louder)})
    version = models.version_name(models.RECOMMEND, datetime.now(UTC), digest)
    saved = artifact.save(configuration.model_folder(settings.home, version), made)
    with database.begin() as connection:
        models.register(
            connection, version, config=made.config, metrics={}, learnt_through=live.learnt_through, digest=saved
        )
    return version
