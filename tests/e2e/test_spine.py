"""From a message to a re-ranked shelf, through the real processes."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from reshelf import tasks
from storage import due
from tests.support import shop, waiting
from tests.support import stack as stacks
from tests.support.stack import Stack

NOW = "2026-03-01T00:00:00Z"


@pytest.fixture(name="stack", scope="module")
def _stack(
    tmp_path_factory: pytest.TempPathFactory,
    fresh_database: Callable[[], AbstractContextManager[str]],
    fresh_broker: Callable[[], str],
) -> Iterator[Stack]:
    """One for all tests here, each of which has shoppers of its own."""
    with fresh_database() as database_url:
        settings = stacks.settings_for(tmp_path_factory.mktemp("home"), database_url, fresh_broker())
        with stacks.running(settings, "intake", "recommend", "background", "gateway", "beat") as stack:
            waiting.wait_until(stack.is_idle, what="the first shelves")
            yield stack


def _event(event_id: str, user: str, item: str, kind: str = "click", at: str = NOW) -> dict[str, Any]:
    return {"event_id": event_id, "user_id": user, "item_id": item, "kind": kind, "at": at}


def test_the_first_shelves_cover_everyone(stack: Stack) -> None:
    shoppers = stack.query("SELECT count(DISTINCT shopper) FROM events")
    assert stack.query("SELECT count(*) FROM rankings WHERE surface = 'home'") == shoppers
    assert stack.query("SELECT count(*) FROM item_vectors") == [(shop.ITEMS,)]
    assert stack.query("SELECT count(*) FROM rankings WHERE surface = 'similar'") == [(shop.ITEMS,)]
    waiting.wait_until(lambda: stack.ranking("", "popular") is not None, what="the popular shelf")
    assert stack.ranking("category=phone", "popular") is not None


def test_an_event_re_ranks_the_shelf_and_nothing_compiles(stack: Stack) -> None:
    newcomer = stack.get("/v1/users/ann/recommendations")
    assert newcomer["source"] in ("popular", "newest")  # nothing is known of her yet
    stack.send(tasks.EVENTS, [_event("e1", "ann", "item-4"), _event("e2", "ann", "item-8", "purchase")])
    waiting.wait_until(
        lambda: stack.get("/v1/users/ann/recommendations")["source"] == "personal", what="ann's own shelf"
    )
    shelf = stack.get("/v1/users/ann/recommendations?limit=8")
    assert shelf["through"].startswith("2026-03-01T00:00:00")
    assert shelf["model_version"].startswith("recommend-")
    assert "item-8" not in [entry["item_id"] for entry in shelf["items"]]  # she has bought it
    categories = Counter(entry["category"] for entry in shelf["items"])
    assert categories.most_common(1)[0][0] == "phone"  # a quarter of the catalogue, and all that she touched

    def because() -> list[dict[str, Any]]:
        shown = stack.get("/v1/users/ann/recommendations?limit=8")["items"]
        return [entry["because"] for entry in shown if entry["because"] is not None]

    waiting.wait_until(lambda: because() != [], what="ann, who looks at her shelf, is told why")
    assert {(one["item_id"], one["kind"]) for one in because()} <= {("item-4", "click"), ("item-8", "purchase")}

    stack.send(tasks.CATALOGUE, [shop.item(100) | {"change_id": "new", "at": NOW}])  # 100 % 4 == 0: a phone
    waiting.wait_until(
        lambda: stack.get("/v1/items/item-100/similar")["source"] == "similar", what="the new item's shelf"
    )
    similar = stack.get("/v1/items/item-100/similar?limit=5")["items"]
    assert [entry["category"] for entry in similar].count("phone") >= 4
    waiting.wait_until(
        lambda: any("item-100" in shelf.item_ids for shelf in stack.shelves("similar").values()),
        what="the new item on the shelves of its neighbours",
    )
    stack.post("/v1/catalogue", [{"kind": "delete", "change_id": "gone", "item_id": similar[0]["item_id"], "at": NOW}])
    left = [entry["item_id"] for entry in stack.get("/v1/items/item-100/similar?limit=50")["items"]]
    assert similar[0]["item_id"] not in left
    waiting.wait_until(stack.is_settled, what="the end of the work")
    for worker in ("recommend", "background"):
        assert stack.installation.metric("reshelf_compilations_after_warm_up", of=worker) == 0


def test_dirty_and_shuffled_events_end_in_the_same_rankings(stack: Stack) -> None:
    """10,000 events, 10 % of them twice, 10 % late, 1 % malformed, half through each door."""
    draw = random.Random(3)
    clean = list(shop.history("clean", shoppers=200, each=25))
    dirty = list(shop.history("dirty", shoppers=200, each=25))
    twice = draw.sample(dirty, k=len(dirty) // 10)
    malformed = [_event(f"bad-{n}", "u", "i", kind=draw.choice(("veiw", "", "buy"))) for n in range(100)]
    stream = _with_stragglers(dirty, draw)
    for extra in twice + malformed:
        stream.insert(draw.randrange(len(stream)), extra)

    before = _counts(stack)
    answers = []
    for n in range(0, len(clean), 100):
        stack.send(tasks.EVENTS, clean[n : n + 100])
    for n in range(0, len(stream), 100):
        batch = stream[n : n + 100]
        if draw.random() < 0.5:
            stack.send(tasks.EVENTS, batch)
        else:
            answers.append(stack.post("/v1/events", batch))
    sent = len(clean) + len(stream)
    waiting.wait_until(lambda: sum(_counts(stack)) - sum(before) == sent, what="all rows taken in")
    waiting.wait_until(stack.is_idle, what="all shelves fresh")

    counts = [now - then for now, then in zip(_counts(stack), before, strict=True)]
    assert counts == [10_000, len(twice), 100]
    assert stack.query("SELECT count(*) FROM events WHERE event_id LIKE 'dirty-%'") == [(5_000,)]
    letters = stack.query("SELECT key, field, payload FROM dead_letters WHERE source = 'events' ORDER BY id")
    assert sorted(json.loads(payload)["event_id"] for _, _, payload in letters) == sorted(
        row["event_id"] for row in malformed
    )
    assert {field for _, field, _ in letters} == {"kind"}
    assert sum(len(answer["rejected"]) for answer in answers) > 0
    _rank_all_with_the_same_counts(stack)
    for n in range(200):
        assert stack.ranking(f"dirty-{n}") == stack.ranking(f"clean-{n}"), f"shopper {n}"
    assert stack.installation.metric("reshelf_compilations_after_warm_up", of="recommend") == 0


def _counts(stack: Stack) -> list[int]:
    """Return how many rows were written, were there already, and were rejected."""
    counted = "coalesce(sum(written), 0), coalesce(sum(duplicates), 0), coalesce(sum(rejected), 0)"
    return [int(count) for count in stack.query(f"SELECT {counted} FROM intake_counts")[0]]


def _rank_all_with_the_same_counts(stack: Stack) -> None:
    """Transitions were counted between the refreshes of one shopper and another: refresh all once more."""
    counted = "SELECT from_item, to_item, count FROM transitions ORDER BY 1, 2"
    before = stack.query(counted)
    assert before
    time.sleep(0.5)  # longer than a task that took in the counts before the last of them goes on claiming
    with stack.database.begin() as connection:
        due.mark(connection, due.SHOPPER, [f"{prefix}-{n}" for prefix in ("dirty", "clean") for n in range(200)])
    waiting.wait_until(stack.is_idle, what="all shelves ranked with the same counts")
    assert stack.query(counted) == before


def _with_stragglers(events: list[dict[str, Any]], draw: random.Random) -> list[dict[str, Any]]:
    """Return the events with a tenth of them moved to a random later place."""
    late = {row["event_id"] for row in draw.sample(events, k=len(events) // 10)}
    places = [(n + draw.uniform(0, 2_000) if row["event_id"] in late else n, row) for n, row in enumerate(events)]
    return [row for _, row in sorted(places, key=lambda place: place[0])]
