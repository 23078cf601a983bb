"""Requests at a steady rate, from a separate process; each latency counts from when the request is due."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import pickle
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

import msgspec
import uvloop

from benchmarks import access

PAGE = 10
_CONNECTIONS = 32
_PATIENCE = 5.0

Shown = tuple[str, str | None, tuple[str, ...], tuple[float, ...]]
"""User, model version, and the ids and scores of the items from the user's own shelf."""


class Item(msgspec.Struct):
    """The checked fields of an item of an answer."""

    item_id: str
    score: float | None
    source: str


class Answer(msgspec.Struct):
    """The checked fields of an answer."""

    model_version: str | None
    items: list[Item]


@dataclass
class Found:
    """Every request: when it was due (unix seconds) and its latency; failures; the distinct answers."""

    times: list[tuple[float, float]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    shown: Counter[Shown] = field(default_factory=Counter)


class Traffic:
    """Requests `rate` pages per second from the gateway, of users drawn from `users`, until stopped."""

    def __init__(self, port: int, *, rate: int, users: Sequence[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="reshelf-traffic-")
        self._path = Path(self._folder.name) / "found.pickle"
        self._stop = context.Event()
        arguments = (port, rate, list(users), self._stop, self._path)
        self._process = context.Process(target=_run, args=arguments, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._process.start()

    def stop(self) -> Found:
        """Stop, and return the results, once every due request was answered or given up."""
        self._stop.set()
        self._process.join()
        with self._folder:
            found: Found = pickle.loads(self._path.read_bytes())
        return found


def _run(port: int, rate: int, users: Sequence[str], stop: Event, path: Path) -> None:
    gc.disable()  # its pauses, longer with all the notes, would count as latency
    found = uvloop.run(_ask_all(port, rate, users, stop))
    path.write_bytes(pickle.dumps(found))


async def _ask_all(port: int, rate: int, users: Sequence[str], stop: Event) -> Found:
    found = Found()
    waiting: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
    askers = [asyncio.create_task(_asker(port, waiting, found)) for _ in range(_CONNECTIONS)]
    draw, due = random.Random(rate), time.time()
    while not stop.is_set():
        waiting.put_nowait((due, draw.choice(users)))
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.time()))
    await waiting.join()
    for asker in askers:
        asker.cancel()
    return found


async def _asker(port: int, waiting: asyncio.Queue[tuple[float, str]], found: Found) -> None:
    """One keep-alive connection, opened again when it breaks."""
    decoder, streams = msgspec.json.Decoder(Answer), None
    while True:
        due, user = await waiting.get()
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(_PATIENCE):
                status, body = await _get(*streams, f"/v1/users/{user}/recommendations?limit={PAGE}")
            if status != 200:
                raise OSError(f"status {status}")
            found.shown[_shown(user, decoder.decode(body))] += 1
        # A TimeoutError is an OSError.
        except (OSError, EOFError, ValueError, msgspec.DecodeError) as error:
            found.errors[f"{type(error).__name__}: {error}"] += 1
            streams = None
        found.times.append((due, time.time() - due))
        waiting.task_done()


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> tuple[int, bytes]:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{access.LINE}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:"))
    return int(head.split(" ", 2)[1]), await reader.readexactly(int(length))


def _shown(user: str, answer: Answer) -> Shown:
    own = [item for item in answer.items if item.source == "personal"]
    return user, answer.model_version, tuple(item.item_id for item in own), tuple(item.score or 0.0 for item in own)
