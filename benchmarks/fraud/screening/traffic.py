"""Orders at a steady rate over HTTP, from a separate process; each is sent when it is due, whatever happened before."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from typing import Any

from benchmarks import access
from benchmarks.fraud.screening import orders

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def run(port: int, *, rate: int, seconds: float, customers: int, prefix: str) -> dict[str, Any]:
    """Return latencies in seconds, from when an order was due to be sent, and how many were decided by what."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_send, port, rate, seconds, customers, prefix).result()


def _send(port: int, rate: int, seconds: float, customers: int, prefix: str) -> dict[str, Any]:
    gc.disable()  # its pauses would count as latency
    return asyncio.run(_drive(port, rate, seconds, customers, prefix))


async def _drive(port: int, rate: int, seconds: float, customers: int, prefix: str) -> dict[str, Any]:
    """Connections are reused, the last used first; one is opened if all are busy."""
    idle: list[Connection] = []
    draw, latencies = random.Random(prefix), []
    by: Counter[str] = Counter()
    decisions: Counter[str] = Counter()
    start = time.perf_counter()

    async def one(number: int, due: float) -> None:
        body = json.dumps(orders.order(draw, f"{prefix}-{number}", customers, datetime.now(UTC))).encode()
        answer = await _ask(idle, port, body)
        latencies.append(time.perf_counter() - due)
        by[f"{answer.get('by', 'error')}{'' if answer.get('decided_at') else ', not recorded'}"] += 1
        decisions[answer.get("decision", "error")] += 1

    tasks = []
    for number in range(int(rate * seconds)):
        due = start + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(number, due)))
    for task in tasks:  # gathering thousands at once would delay the last ones
        await task
    for _, writer in idle:
        writer.close()
    return {"latencies": latencies, "by": dict(by), "decisions": dict(decisions)}


async def _ask(idle: list[Connection], port: int, body: bytes) -> dict[str, Any]:
    """The gateway closes idle connections after some seconds: the order is then sent again on another one."""
    while True:
        connection = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        try:
            answer = await _post(connection, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            continue
        idle.append(connection)
        return answer


async def _post(connection: Connection, body: bytes) -> dict[str, Any]:
    reader, writer = connection
    head = f"POST /v1/orders/screen HTTP/1.1\r\nHost: localhost\r\n{access.LINE}Content-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    headers = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in headers.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return dict(json.loads(await reader.readexactly(length)))
