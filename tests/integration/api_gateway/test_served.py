"""The gateway as it is really run: a process of its own, under uvicorn, with the real doorbell."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from tests.support import gateways
from tests.support import served as gateway_process


@pytest.fixture
def served(database_url: str, broker_url: str, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with gateway_process.running(database_url, broker_url, tmp_path) as (port, process):
        yield f"http://127.0.0.1:{port}", process


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    """Return when `condition` returns true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail("it did not happen in time")


def test_a_served_gateway_reads_writes_rings_and_stops(
    served: tuple[str, subprocess.Popen[bytes]], shop: Any, broker_url: str
) -> None:
    url, process = served
    shop.stock(3)
    shop.rank("similar", "a/b", ["i002"])
    with httpx.Client(base_url=url, trust_env=False, headers=gateways.HEADERS) as client:
        wait_until(lambda: client.get("/v1/ready").status_code == 200)
        assert client.get("/v1/items/a%2Fb/similar").json()["source"] == "similar"
        event = {"event_id": "e", "kind": "view", "at": "2026-03-01T00:00:00Z", "user_id": "a", "item_id": "i001"}
        assert client.post("/v1/events", json=[event]).status_code == 202
        with Redis.from_url(broker_url) as redis:
            wait_until(lambda: redis.llen("refresh") == 1)
            assert b"reshelf.recommend.refresh_shoppers" in redis.lrange("refresh", 0, -1)[0]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) in (0, -signal.SIGTERM)
