"""Requests at a steady rate, whether the answers come or not, from a separate process.

Each latency counts from when the request was due: delays caused by a slow answer count, too.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

from benchmarks import access

_CONNECTIONS = 64
_PATIENCE = 10.0


@dataclass(frozen=True)
class Answered:
    """One request: the milliseconds until its answer, its HTTP status (0: none came), and parts of the body."""

    ms: float
    status: int
    source: str | None = None
    fallback: str | None = None
    personal: bool | None = None


def run(port: int, paths: Sequence[str], rate: float) -> list[Answered]:
    """Request the paths one after the other, `rate` a second; return the result of each."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (port, list(paths), rate))


def _run(port: int, paths: list[str], rate: float) -> list[Answered]:
    gc.disable()  # its pauses would count as latency
    return uvloop.run(_asked(port, paths, rate))  # asyncio's default loop would take more CPU from the server


async def _asked(port: int, paths: list[str], rate: float) -> list[Answered]:
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(Connection(port))

    async def one(path: str, due: float) -> Answered:
        connection = await free.get()
        try:
            async with asyncio.timeout(_PATIENCE):
                status, body = await connection.get(path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            connection.close()
            status, body = 0, {}
        finally:
            free.put_nowait(connection)
        ms = (time.monotonic() - due) * 1e3
        return Answered(ms, status, body.get("source"), body.get("fallback"), body.get("personal"))

    asked = []
    start = time.monotonic() + 0.1
    for number, path in enumerate(paths):  # creating all tasks at the beginning would make the first ones late
        due = start + number / rate
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        asked.append(asyncio.create_task(one(path, due)))
    return [await one for one in asked]  # gathering thousands at once would delay the last ones


class Connection:
    """One keep-alive connection, with just the HTTP that this gateway uses."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return status and body. Raises OSError and IncompleteReadError."""
        if self._streams is None or self._streams[0].at_eof():  # the gateway closes idle connections
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{access.LINE}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n", 1)[0])
        body = await reader.readexactly(length)
        return int(head.split(" ", 2)[1]), dict(json.loads(body))

    def close(self) -> None:
        """Drop the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None
