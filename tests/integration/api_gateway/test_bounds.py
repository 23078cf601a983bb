"""What a gateway keeps of a request that nobody has looked at is bounded, and health answers meanwhile."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support import gateways
from tests.support import served as gateway_process
from tests.support.waiting import wait_until

MIB = 1024 * 1024


class Served:
    """A gateway of its own."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60, headers=gateways.HEADERS
        )
        self.memory = psutil.Process(process.pid).memory_info

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def is_up(self) -> bool:
        try:
            return self.client.get("/v1/ready").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture(name="served")
def _served(database_url: str, broker_url: str, tmp_path: Path) -> Iterator[Served]:
    with gateway_process.running(database_url, broker_url, tmp_path, first_seconds=2.0) as (port, process):
        made = Served(port, process)
        wait_until(made.is_up, what="a gateway that is ready")
        yield made
        made.client.close()


def test_headers_without_end_are_refused(served: Served) -> None:
    before = served.memory().rss
    with served.connect() as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\n")
        sent = 0
        try:
            while sent < 64 * MIB:
                connection.sendall(b"x-filler: " + b"a" * 65_000 + b"\r\n")
                sent += 65_000
        except OSError:
            pass
        assert sent < 32 * MIB, "the connection was to be closed long before"
    assert served.memory().rss - before < 16 * MIB
    assert served.client.get("/v1/health").status_code == 200


def test_headers_that_are_a_little_too_large_are_answered(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\n")
        for _ in range(5):
            connection.sendall(b"x-filler: " + b"a" * 15_000 + b"\r\n")
            time.sleep(0.05)
        assert connection.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("begun", [b"", b"GET /v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "])
def test_who_says_nothing_is_not_waited_for(served: Served, begun: bytes) -> None:
    with served.connect() as connection:
        connection.sendall(begun)
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        assert connection.recv(1000).endswith(b"arrive") or connection.recv(1000) == b""


def test_a_connection_serves_one_request_after_the_other(served: Served) -> None:
    ask = b"GET /v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    with served.connect() as connection:
        for pause in (0.0, 0.0, 2.5):
            time.sleep(pause)
            connection.sendall(ask)
            answer = b""
            while not answer.endswith(b'{"status":"ok"}'):
                answer += (piece := connection.recv(1000))
                assert piece, "it was closed"


def test_many_large_bodies_take_little_memory_and_health_answers(served: Served) -> None:
    rows = [{"event_id": "e"}] * (4 * MIB // 20)
    body = json.dumps(rows).encode()[: 4 * MIB - 30] + b'"}]'
    headers = {"content-type": "application/json", **gateways.HEADERS}
    before, most = served.memory().rss, 0
    with ThreadPoolExecutor(16) as pool:
        asked = [
            pool.submit(httpx.post, f"{served.client.base_url}/v1/events", content=body, headers=headers, timeout=60)
            for _ in range(32)
        ]
        while not all(one.done() for one in asked):
            assert served.client.get("/v1/health").status_code == 200
            most = max(most, served.memory().rss)
            time.sleep(0.02)
    assert {one.result().status_code for one in asked} <= {400, 413, 503}
    assert most - before < 200 * MIB
