"""The shop's loop, against a gateway that is answered for here: what is shown, sent and counted."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import msgspec
import pytest

from demo import catalogue, customers, prober, stories
from demo.customers import Customer
from demo.gateway import DEPTH, Gateway, GatewayError, to_shelf
from demo.prober import Prober
from demo.shop import Shop
from demo.tally import Tally
from reshelf.events import Event
from reshelf.producer import Producer

ITEMS = {item.item_id: item for item in catalogue.make(200, seed=1)}


@dataclass
class Server:
    """Answers as the gateway does, with the first items of the catalogue, and reflects events at once."""

    events: list[dict[str, Any]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    status: int = 200

    def event(self, **fields: Any) -> None:
        """Take an event, as the producer does."""
        self.events.append(msgspec.to_builtins(msgspec.convert(fields, Event)))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        path = request.url.path
        self.requests[path.split("/")[2]] += 1
        if self.status != 200:
            return httpx.Response(self.status, text="out of order")
        if request.method == "POST":
            posted = msgspec.json.decode(request.content)["events"]
            self.events += [msgspec.to_builtins(msgspec.convert(row, Event)) for row in posted]
            return httpx.Response(202, json={"written": len(posted), "duplicates": 0, "rejected": []})
        return httpx.Response(200, json=self._shelf(path, int(request.url.params["limit"])))

    def _shelf(self, path: str, limit: int) -> dict[str, Any]:
        chosen = list(ITEMS.values())[:limit]
        mine = [event["at"] for event in self.events if f"/{event['user_id']}/" in path]
        return {
            "items": [{"item_id": item.item_id, "title": item.title} for item in chosen],
            "source": "personal" if "users" in path else "popular",
            "model_version": "v1",
            "through": max(mine, default=None),
            "request_id": f"request-{self.requests.total()}",
        }


@pytest.fixture
def server() -> Server:
    return Server()


def _run(server: Server, play: Any, *, people: list[Customer] | None = None) -> Tally:
    tally = Tally()

    async def main() -> None:
        async with Gateway("http://shop", transport=httpx.MockTransport(server.answer)) as gateway:
            people_ = people or customers.make(40, seed=1)
            shop = Shop(gateway, cast(Producer, server), people_, ITEMS, tally, random.Random(1), pages=200)
            await play(shop)

    asyncio.run(main())
    return tally


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.shop.THINKING_SECONDS", 0.01)
    monkeypatch.setattr("demo.prober.PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("demo.prober.POLL_SECONDS", 0.005)


@pytest.mark.usefixtures("hurried")
def test_whatever_happens_is_sent_with_the_answer_that_led_to_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.shop.HTTP_SHARE", 0.5)  # even on a busy machine, with few visits, both doors are used
    tally = _run(server, lambda shop: shop.open(1.5))
    kinds = Counter(event["kind"] for event in server.events)
    assert tally.events == kinds
    assert kinds["impression"] > 10 * DEPTH
    assert kinds["impression"] % DEPTH == 0
    assert 0 < kinds["click"] < kinds["impression"] / 5
    assert all(event["request_id"].startswith("request-") for event in server.events)
    assert {event["surface"] for event in server.events} >= {"home", "popular"}
    assert set(tally.doors) == {"message", "http"}
    assert not tally.failures


@pytest.mark.usefixtures("hurried")
def test_each_half_is_shown_and_counted_on_its_own_shelf_only(server: Server) -> None:
    tally = _run(server, lambda shop: shop.open(0.5))
    for event in server.events:
        assert event["surface"] in (customers.group_of(event["user_id"]), "similar")
    for group in customers.GROUPS:
        mine = [event["kind"] for event in server.events if event["surface"] == group]
        assert tally.rate(group).shown == mine.count("impression")
        assert tally.rate(group).clicked == mine.count("click")
        assert tally.purchases(group) == mine.count("purchase")
    assert tally.personal_share() == 1


@pytest.mark.usefixtures("hurried")
def test_a_gateway_that_fails_is_counted_and_does_not_end_the_shop(server: Server) -> None:
    server.status = 503
    tally = _run(server, lambda shop: shop.open(0.2))
    assert tally.failures.total() > 1
    assert "503 out of order" in next(iter(tally.failures))


@pytest.mark.usefixtures("hurried")
def test_the_prober_measures_both_doors_and_takes_no_part_in_the_comparison(server: Server) -> None:
    rng = random.Random(1)
    tally = _run(server, lambda shop: Prober(shop, prober.strangers(rng), list(ITEMS.values()), rng).run(0.3))
    assert tally.probes("message") > 2
    assert tally.probes("http") > 2
    assert tally.unseen == 0
    assert 0 < tally.latency(0.5) < 0.1
    assert tally.rate("home").shown == 0


def test_an_event_that_never_becomes_visible_is_said_so(server: Server) -> None:
    async def wait(shop: Shop) -> None:
        assert not await prober.seen(shop, "nobody", datetime.now(UTC) + timedelta(hours=1), patience=0.05)

    _run(server, wait)


def test_three_customers_of_the_home_half_turn_to_what_they_never_clicked(server: Server) -> None:
    people = customers.make(40, seed=1)
    for person in people:
        person.clicked = {item.item_id for item in ITEMS.values() if item.department in person.taste.departments}
    told: list[stories.Story] = []

    async def tell(shop: Shop) -> None:
        told.extend(await stories.tell(shop, people, random.Random(1)))

    _run(server, tell, people=people)
    assert len({story.customer_id for story in told}) == 3
    titles = {item.title: item for item in ITEMS.values()}
    for story in told:
        assert customers.group_of(story.customer_id) == "home"
        assert story.seconds is not None
        assert len({titles[title].noun for title in story.clicks}) == 1
        assert titles[story.clicks[0]].department not in story.likes


def test_an_answer_without_a_shelf_time_has_none() -> None:
    shelf = to_shelf({"items": [{"item_id": "a"}], "source": "newest", "through": None})
    assert (shelf.titles, shelf.through, shelf.is_personal) == (["a"], None, False)


def test_rejected_events_are_an_error(server: Server) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202, json={"written": 0, "rejected": [{"index": 0, "error": "no"}]})

    async def main() -> None:
        async with Gateway("http://shop", transport=httpx.MockTransport(answer)) as gateway:
            await gateway.send([{}])

    with pytest.raises(GatewayError, match="rejected"):
        asyncio.run(main())
