"""The measured shop: a simulated catalogue and history, sent through the public doors."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from reshelf.producer import Producer, Report

WORDS = ("red", "blue", "green", "small", "large", "light", "heavy", "soft", "classic", "modern", "travel", "garden")
THINGS = ("lamp", "chair", "phone", "kettle", "jacket", "tent", "drill", "bottle", "camera", "desk", "mug", "shoe")
_CATEGORIES = 40


def item(n: int, *, twin_of: int | None = None, at: datetime | None = None) -> dict[str, Any]:
    """Return the catalogue change of item `n`; a twin has the same description as the item it is the twin of."""
    draw = random.Random(n if twin_of is None else twin_of)
    thing = draw.choice(THINGS)
    return {
        "kind": "upsert",
        "change_id": f"announce-{n}",
        "item_id": f"item-{n}",
        "at": at or datetime.now(UTC) - timedelta(days=30),
        "title": f"{draw.choice(WORDS)} {draw.choice(WORDS)} {thing} {draw.randrange(100)}",
        "category": f"department {draw.randrange(_CATEGORIES)}",
        "brand": f"brand {draw.randrange(200)}",
        "price": round(draw.lognormvariate(3, 1), 2),
    }


def event(event_id: str, user: int, item_id: str, at: datetime, kind: str = "click") -> dict[str, Any]:
    """Return one event as the JSON object that goes on the queue."""
    return {"event_id": event_id, "user_id": f"user-{user}", "item_id": item_id, "kind": kind, "at": at.isoformat()}


def history(users: int, items: int, per_user: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield past events: each user touches mostly one section of the catalogue, within the last four weeks."""
    draw = random.Random(seed)
    start = datetime.now(UTC) - timedelta(days=28)
    for user in range(users):
        home = draw.randrange(items)
        for n in range(per_user):
            near = (home + int(draw.gauss(0, 40))) % items if draw.random() < 0.8 else draw.randrange(items)
            at = start + timedelta(seconds=draw.uniform(0, 27 * 86_400))
            kind = draw.choices(("view", "click", "add_to_cart", "purchase"), (6, 3, 1, 1))[0]
            yield event(f"past-{user}-{n}", user, f"item-{near}", at, kind) | {"session_id": f"s-{user}-{n // 4}"}


def seed(broker_url: str, *, users: int, items: int, per_user: int) -> Report:
    """Send the catalogue and the past events; return the producer's report."""
    with Producer(broker_url, batch_size=500, max_pending=1_000_000) as producer:
        for n in range(items):
            producer.change(**item(n))
        for past in history(users, items, per_user, seed=7):
            producer.event(**past | {"at": datetime.fromisoformat(past["at"])})
        return producer.flush(120)
