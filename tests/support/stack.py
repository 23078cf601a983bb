"""A running reshelf for tests: the real worker and gateway processes on real servers, with a small trained model."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import Engine, text

from reshelf import client
from storage import engine
from tests.support import gateways, ports, shelves, shop
from tests.support.shelves import Shelf
from workers import settings as configuration
from workers.settings import Settings
from workers.supervisor.installation import Installation


@dataclass
class Stack:
    """The processes, and where they answer."""

    settings: Settings
    database: Engine
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        url = f"http://127.0.0.1:{self.settings.gateway_port}"
        # A proxy that the environment names must not come between a machine and itself.
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False, headers=gateways.HEADERS)

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
        self._client.close()

    def send(self, task: str, batch: Sequence[Any]) -> None:
        """Put one message on the queue, by task name, as a shop's backend does."""
        sender = client.sender(str(self.settings.broker_url))
        sender.send_task(task, args=[list(batch)])
        sender.close()

    def get(self, path: str) -> dict[str, Any]:
        """Return the gateway's answer. Raises httpx.HTTPError where there is none, or one that says no."""
        return dict(self._client.get(path).raise_for_status().json())

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """Return the gateway's answer to a POST of JSON. Raises as `get` does."""
        return dict(self._client.post(path, json=body).raise_for_status().json())

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
    shop.train(database, settings)
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
    given = {"home": home, "database_url": database_url, "broker_url": broker_url, "gateway_port": ports.free_port()}
    given["api_keys"] = gateways.KEY
    return msgspec.structs.replace(Settings(), **quick, **given, metrics_port=ports.free_port(), **others)
