"""Searching with real processes: what changes is found, and a killed worker leaves no query without an answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import shop, waiting
from tests.support import stack as stacks
from tests.support.stack import Stack


@pytest.fixture(name="stack")
def _stack(tmp_path: Path, database_url: str, broker_url: str) -> Iterator[Stack]:
    settings = stacks.settings_for(tmp_path, database_url, broker_url, search_deadline_ms=3_000)
    with stacks.running(settings, "intake", "search", "gateway", "beat") as stack:
        waiting.wait_until(lambda: _answers(stack), what="an answer of the worker")
        yield stack


def _answers(stack: Stack) -> bool:
    try:
        return bool(_new(stack)["fallback"] is None)
    except httpx.HTTPError:  # the gateway has not started yet
        return False


def _new(stack: Stack) -> dict[str, Any]:
    """Search for what nobody searched for before."""
    return stack.get(f"/v1/search?q=lamp+{uuid.uuid4().hex[:8]}&user_id=past-1")


def _ids(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def test_searches_follow_the_catalogue_and_outlive_their_worker(stack: Stack) -> None:
    assert "new" not in _ids(stack.get("/v1/search?q=lamp&sort=newest"))
    stack.post("/v1/catalogue", [shop.item(1) | {"change_id": "n", "item_id": "new", "at": "2026-06-01T00:00:00Z"}])
    shown = "/v1/search?q=lamp&sort=newest"
    waiting.wait_until(lambda: _ids(stack.get(shown))[:1] == ["new"], what="the new item")
    sold_out = {"kind": "stock", "change_id": "s", "item_id": "new", "at": "2026-06-02T00:00:00Z", "stock": 0}
    stack.post("/v1/catalogue", [sold_out])
    assert "new" not in _ids(stack.get(shown))

    stack.kill("search")
    assert _new(stack)["fallback"] == "lexical"
    start = time.monotonic()
    assert set(_ids(_new(stack))) <= {f"item-{n}" for n in range(1, shop.ITEMS, shop.GROUPS)}
    assert time.monotonic() - start > 2.5  # it was waited for
    assert stack.get(shown)["source"] == "matched"  # what is known is known

    stack.start("search", "worker", "search")
    waiting.wait_until(lambda: _answers(stack), what="an answer of the worker that came back")
    assert stack.query("SELECT count(*) FROM dead_letters") == [(0,)]
