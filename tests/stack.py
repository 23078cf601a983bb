"""A running reshelf for tests: the real worker and gateway processes on real servers, with a small trained model."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, text

from model import artifact
from reshelf import client, parsing
from storage import engine
from storage.events import intake
from storage.registry import models
from tests import shelves
from tests.shelves import Shelf
from workers import rows
from workers import settings as configuration
from workers.recommend.training import data, full_training
from workers.registry import switching
from workers.settings import Settings
from workers.supervisor.installation import Installation

ITEMS = 60
GROUPS = 4
# Seconds that a test waits at most: a machine that is busy with other work takes ten times as long as an idle one.
PATIENCE = 150
_TRAINED = Path(tempfile.mkdtemp(prefix="reshelf-tests-model-"))


@dataclass
class Stack:
    """The processes, and where they answer."""

    settings: Settings
    database: Engine
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def installation(self) -> Installation:
        """What runs commands with these settings."""
        environ = {**os.environ, **configuration.to_environ(self.settings), "JAX_PLATFORMS": "cpu"}
        return Installation(self.settings.home, environ)

    def start(self, name: str, *command: str) -> None:
        """Start `reshelf command…` under `name`, its output in a log in the home folder."""
        self.processes[name] = self.installation.spawn(name, *command)

    def kill(self, name: str) -> None:
        """Kill -9 the process and its children, as a machine that loses power would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End every process at once: a worker with a task in hand would sleep ten seconds first, whatever it does."""
        for name in list(self.processes):
            self.kill(name)

    def send(self, task: str, batch: Sequence[Any]) -> None:
        """Put one message on the queue, by task name, as a shop's backend does."""
        sender = client.sender(str(self.settings.broker_url))
        sender.send_task(task, args=[list(batch)])
        sender.close()

    def get(self, path: str) -> dict[str, Any]:
        """Return the gateway's answer."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.gateway_port}{path}", timeout=10) as answer:
            return dict(json.loads(answer.read()))

    def post(self, path: str, batch: Sequence[Any]) -> dict[str, Any]:
        """Return the gateway's answer to a POST of JSON."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.settings.gateway_port}{path}",
            data=json.dumps(list(batch)).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.loads(answer.read()))

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.database.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), parameters)]

    def shelves(self, surface: str = "home") -> dict[str, Shelf]:
        """Return all shelves of a surface by owner."""
        with self.database.connect() as connection:
            return shelves.every(connection, surface)

    def ranking(self, owner: str, surface: str = "home") -> tuple[Any, ...] | None:
        """Return (item_ids, scores, through) of a shelf."""
        found = self.shelves(surface).get(owner)
        return None if found is None else (found.item_ids, found.scores, found.through)

    def is_idle(self) -> bool:
        """Return whether nothing is due that somebody waits for; what the worker `background` is there for may be."""
        waits = "NOT later AND kind NOT IN ('reason', 'basket', 'actor')"
        return self.query(f"SELECT count(*) FROM due WHERE {waits}") == [(0,)]

    def is_settled(self) -> bool:
        """Return whether nothing at all is due. That takes a worker `background`, and shoppers who pause."""
        return self.query("SELECT count(*) FROM due") == [(0,)]


@contextmanager
def running(settings: Settings, *names: str) -> Iterator[Stack]:
    """Run the named processes (intake, recommend, gateway, beat) with a catalogue and a live model, until the end.

    What only another model makes due, reasons, the neighbours of new items and counted shelves take `background`, too.
    """
    database = engine.connect(str(settings.database_url))
    stack = Stack(settings, database)
    train(database, settings)
    try:
        for name in names:
            stack.start(name, *([name] if name in ("gateway", "beat") else ["worker", name]))
        yield stack
    finally:
        stack.stop()
        database.dispose()


def settings_for(home: Path, database_url: str, broker_url: str, **others: Any) -> Settings:
    """Return settings with free ports of their own, quick to notice what is lost."""
    quick = {"lease": 4.0, "reconcile_every": 1.0, "preset": "tiny", "ranking_depth": 30}
    given = {"home": home, "database_url": database_url, "broker_url": broker_url, "gateway_port": free_port()}
    return msgspec.structs.replace(Settings(), **quick, **given, metrics_port=free_port(), **others)


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


def wait_until(condition: Callable[[], bool], *, what: str) -> float:
    """Return how long it took until `condition` held; fail saying `what` did not happen."""
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        if condition():
            return time.monotonic() - start
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


def free_port() -> int:
    """Return a port that is free now, with the four after it: each process with metrics has one."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        if all(_is_free(port + step) for step in (1, 2, 3, 4)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
