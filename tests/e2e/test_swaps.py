"""Swaps under load, through the real processes: no shelf mixes two models, and none waits for a swap."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.recommend.events import Interaction, Ranked, RankRequest
from reshelf import tasks
from storage import due
from storage.events import histories
from storage.registry import models
from tests.support import shop, waiting
from tests.support import stack as stacks
from tests.support.stack import Stack
from workers.recommend import following
from workers.registry import switching

SHOPPERS = [f"past-{n}" for n in range(40)]
SWAPS = 6

Shelves = Mapping[str, tuple[list[str], list[float]]]


@pytest.fixture(name="stack")
def _stack(tmp_path: Path, database_url: str, broker_url: str) -> Iterator[Stack]:
    settings = stacks.settings_for(tmp_path, database_url, broker_url)
    with stacks.running(settings, "intake", "recommend", "background", "gateway", "beat") as stack:
        waiting.wait_until(stack.is_idle, what="the first shelves")
        yield stack


@dataclass
class Watched:
    """What was seen while models were swapped: rows that no version has ranked, and shelves by version and time."""

    wrong: list[tuple[Any, ...]] = field(default_factory=list)
    seen: set[tuple[str, datetime]] = field(default_factory=set)
    rows: int = 0


def _expected(stack: Stack, version: str) -> Shelves:
    """Return each shopper's shelf as this version ranks it, alone in a process."""
    ranker = following.load(stack.database, stack.settings.home, version).ranker
    with stack.database.connect() as connection:
        read = histories.read(connection, SHOPPERS, length=ranker.config.history, policy=stack.settings.repeat_policy)
    requests = [
        RankRequest([Interaction(t.item_id, t.kind, t.at) for t in read[one].touches], read[one].hidden)
        for one in SHOPPERS
    ]
    return {one: _as_stored(found) for one, found in zip(SHOPPERS, ranker.rank(requests, k=30), strict=True)}


def _as_stored(ranked: Ranked) -> tuple[list[str], list[float]]:
    return ranked.item_ids, np.asarray(ranked.scores, np.float32).astype(np.float64).tolist()


@contextmanager
def _busy(stack: Stack, expected: Mapping[str, Shelves]) -> Iterator[Watched]:
    """Keep every shopper due and strangers coming, and look at every shelf, until the end."""
    watched, end = Watched(), threading.Event()

    def watch() -> None:
        n = 0
        while not end.wait(0.05):
            n += 1
            with stack.database.begin() as connection:
                due.mark(connection, due.SHOPPER, SHOPPERS)
            # One event each: what a stranger does follows nothing, so that no count moves a shelf.
            stranger = {"event_id": f"s-{n}", "user_id": f"stranger-{n}", "item_id": f"item-{n % shop.ITEMS}"}
            stack.send(tasks.EVENTS, [stranger | {"kind": "view", "at": "2026-03-01T00:00:00Z"}])
            for owner, shelf in stack.shelves().items():
                if owner not in SHOPPERS:
                    continue
                watched.rows += 1
                watched.seen.add((shelf.version, shelf.generated_at))
                ids, numbers = expected[shelf.version][owner]
                if (shelf.item_ids, np.asarray(shelf.scores, np.float32).astype(np.float64).tolist()) != (ids, numbers):
                    watched.wrong.append((owner, shelf.version, shelf.item_ids, shelf.scores))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield watched
    finally:
        end.set()
        thread.join(30)


def test_models_are_swapped_again_and_again_under_load(stack: Stack) -> None:
    with stack.database.connect() as connection:
        live = models.live(connection)
    assert live is not None
    pair = [live.version, shop.another(stack.database, stack.settings, "00face", louder=0.5)]
    expected = {version: _expected(stack, version) for version in pair}
    assert expected[pair[0]] != expected[pair[1]]
    meanwhile = 0
    with _busy(stack, expected) as watched:
        for n in range(SWAPS):
            old, new = pair[n % 2], pair[(n + 1) % 2]
            switching.switch(stack.database, new, why=models.PROMOTED)
            [(switched_at,)] = stack.query("SELECT switched_at FROM live_models")
            waiting.wait_until(lambda new=new: _all_of(stack, new), what=f"swap {n + 1}: all shelves by the new model")
            meanwhile += sum(version == old and at > switched_at for version, at in watched.seen)
    assert watched.wrong == []
    assert watched.rows >= SWAPS * len(SHOPPERS)
    assert meanwhile > 0  # the old model ranked on while the new one was loaded
    waiting.wait_until(stack.is_settled, what="the end of the work")
    final = pair[SWAPS % 2]
    assert stack.query("SELECT DISTINCT model_version FROM rankings WHERE surface IN ('home', 'similar')") == [(final,)]
    vectors = stack.query("SELECT count(*) FROM item_vectors WHERE model_version = :version", version=final)
    assert vectors == [(shop.ITEMS,)]
    assert stack.query("SELECT count(*) FROM dead_letters") == [(0,)]
    for worker in ("recommend", "background"):
        assert stack.installation.metric("reshelf_compilations_after_warm_up", of=worker) == 0
    assert all(shelf.because for shelf in stack.shelves().values()), "each is explained, whoever ranked it last"


def _all_of(stack: Stack, version: str) -> bool:
    [(others,)] = stack.query(
        "SELECT count(*) FROM rankings WHERE surface = 'home' AND owner LIKE 'past-%' AND model_version <> :version",
        version=version,
    )
    return bool(others == 0)
