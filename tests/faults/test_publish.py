"""Kill -9 while a model is published, at every kind of step: what serves is whole, and the next one clears up."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text

from model import artifact
from model.artifact import Artifact
from model.catalogue import Item
from model.recommend import blend, neighbours, transitions, weights
from model.recommend import config as configs
from model.recommend import network as recommend_network
from model.recommend.events import Interaction, Interactions, RankRequest
from reshelf import parsing
from storage import due
from storage.events import intake
from storage.registry import models
from tests.support import shop
from workers import rows
from workers.recommend.training import publish
from workers.recommend.training.data import TrainingData
from workers.recommend.training.gate import Cases

POINTS = 32
ITEMS = 8


class Publisher:
    """The process that forks a child for each publishing."""

    def __init__(self, database_url: str, home: Path, pickled: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.publishing", database_url, str(home), str(pickled)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def publish(self, die_before: int = 0) -> tuple[int, int]:
        """Return the signal that ended the child, and the steps it took if none did."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{die_before}\n")
        self._process.stdin.flush()
        status, steps = map(int, self._process.stdout.readline().split())
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, "the child failed: see its output"
        return os.WTERMSIG(status), steps

    def stop(self) -> None:
        self._process.communicate(timeout=30)


def _candidate() -> publish.Candidate:
    """An untrained model: what it ranks does not matter here."""
    config = configs.preset("tiny")
    known_T = np.arange(ITEMS)
    network = recommend_network.initial(config, ITEMS, seed=0)
    tables = blend.Tables(transitions.empty(ITEMS, config.successors), neighbours.empty(ITEMS, config.neighbours))
    packed = weights.pack(network, blend.default(), tables, np.zeros(ITEMS), known_T)
    ids = tuple(f"item-{n}" for n in range(ITEMS))
    made = Artifact(weights.KIND, packed, configs.to_json(config), ids, {"model": {"ndcg@10": 0.5}})
    return publish.Candidate(made, learnt_through=datetime(2026, 3, 1, tzinfo=UTC))


def _cases() -> Cases:
    catalogue = [Item(f"item-{n}", f"thing {n}", category=f"c{n % 2}") for n in range(ITEMS)]
    nothing = Interactions(*(np.zeros(0, kind) for kind in (np.int32, np.int32, np.int32, np.float64)))
    golden = [RankRequest(), RankRequest([Interaction("item-1", "click", 0.0)])]
    return Cases(TrainingData(catalogue, [], nothing), golden, [], [])


@pytest.fixture(name="publisher")
def _publisher(database: Engine, database_url: str, tmp_path: Path) -> Iterator[Publisher]:
    announced = parsing.parse_changes([shop.item(n) for n in range(ITEMS)])
    past = parsing.parse_events(list(shop.history("past", shoppers=3, each=2)))
    with database.begin() as connection:
        intake.write_changes(connection, [rows.change_row(change) for change in announced.good], writer="test")
        intake.write_events(connection, [rows.event_row(one) for one in past.good], writer="test")
    pickled = tmp_path / "candidate.pickle"
    pickled.write_bytes(pickle.dumps((_candidate(), _cases())))
    publisher = Publisher(database_url, tmp_path, pickled)
    yield publisher
    publisher.stop()


def _live(database: Engine) -> Any:
    with database.connect() as connection:
        return models.live(connection)


def _verify(database: Engine, home: Path, before: str | None) -> None:
    """What serves can be loaded and is what was registered; where it is another than before, everyone is due."""
    live = _live(database)
    assert live is not None
    assert artifact.load(home / "models" / live.version).digest == live.digest
    with database.begin() as connection:
        waiting = {backlog.kind: backlog.count for backlog in due.summary(connection)}
        [switch, *_] = models.switches(connection)
        connection.execute(text("DELETE FROM due"))
    assert switch.version == live.version
    if live.version != before:
        assert (waiting.get(due.SHOPPER), waiting.get(due.ITEM)) == (3, ITEMS)


def _publish_here(database: Engine, home: Path, made: tuple[publish.Candidate, Cases]) -> None:
    """A publishing that nobody kills: it succeeds, and leaves the folders of registered versions and nothing else."""
    outcome = publish.publish(database, home, made[0], _live(database), made[1])
    assert outcome.published, outcome.reasons
    with database.connect() as connection:
        registered = {row.version for row in models.versions(connection)}
    assert {path.name for path in (home / "models").iterdir()} == registered


@pytest.mark.timeout(400)
def test_a_publishing_killed_at_any_step(database: Engine, publisher: Publisher, tmp_path: Path) -> None:
    made = _candidate(), _cases()
    ended, steps = publisher.publish()
    assert ended == 0
    assert steps > POINTS
    _verify(database, tmp_path, None)
    draw = random.Random(7)
    killed = 0
    for point in sorted(draw.sample(range(1, steps + 1), POINTS - 2)) + [steps - 1, steps]:
        before = _live(database).version
        ended, _ = publisher.publish(point)
        killed += ended == signal.SIGKILL
        _verify(database, tmp_path, before)
        _publish_here(database, tmp_path, made)
        _verify(database, tmp_path, None)
    assert killed >= POINTS - 2  # how many files Orbax opens may differ by one or two


@pytest.mark.parametrize("registered", [True, False])
def test_what_was_left_half_done_is_finished_or_removed(
    database: Engine, publisher: Publisher, tmp_path: Path, registered: bool
) -> None:
    """A version that was registered and not renamed yet was whole: it gets its folder."""
    assert publisher.publish()[0] == 0
    version = _live(database).version
    folder = tmp_path / "models" / version
    left = version if registered else models.version_name(models.RECOMMEND, datetime.now(UTC), "0badc0de")
    folder.rename(folder.with_name(f".partial-{left}"))
    (tmp_path / "models" / f"..partial-{left}.partial-1").mkdir()
    made = _candidate(), _cases()
    outcome = publish.publish(database, tmp_path, made[0], _live(database), made[1])
    assert outcome.published
    names = {path.name for path in (tmp_path / "models").iterdir()}
    assert names == ({version, outcome.version} if registered else {outcome.version})
