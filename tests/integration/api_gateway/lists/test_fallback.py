"""Which shelf serves, and that each answer says so."""

from __future__ import annotations

import uuid
from typing import Any

import pytest


def test_personal_shelf_serves_with_everything_that_an_answer_says(gateway: Any, shop: Any, ids: Any) -> None:
    stocked = shop.stock(130)
    shop.rank("home", "ann", stocked[9::-1] + stocked[10:])
    answer = gateway.get("/v1/users/ann/recommendations?limit=3").json()
    assert ids(answer) == ["i010", "i009", "i008"]
    assert (answer["surface"], answer["source"], answer["model_version"]) == ("home", "personal", "m1")
    assert answer["through"] == "2026-03-01T12:00:00Z"
    assert answer["generated_at"] is not None
    assert answer["reason"] is None
    assert uuid.UUID(answer["request_id"])
    assert answer["items"][1] == {
        "item_id": "i009",
        "score": 0.5,
        "source": "personal",
        "title": "Item i009",
        "price": 18.0,
        "currency": "EUR",
        "image_url": "https://shop.example/i009.png",
        "category": "shoes",
        "brand": "acme",
        "because": None,
    }


def test_every_answer_has_its_own_request_id(gateway: Any, shop: Any) -> None:
    shop.stock(3)
    answers = [gateway.get("/v1/new").json()["request_id"] for _ in range(3)]
    assert len(set(answers)) == 3


def test_the_chain_of_a_user_step_by_step(gateway: Any, shop: Any) -> None:
    stocked = shop.stock(8)
    path = "/v1/users/ann/recommendations?limit=1&session_id=s1&country=FR&trait=plan:gold"

    def served() -> tuple[str, str, str | None]:
        answer = gateway.get(path).json()
        return answer["source"], answer["items"][0]["item_id"], answer["model_version"]

    assert served() == ("newest", stocked[7], None)
    shop.rank("popular", "", [stocked[0]], version="popularity")
    assert served() == ("popular", stocked[0], "popularity")
    shop.event("view", stocked[5], user_id="ann", context={"referrer": "news"})
    shop.rank("segment", "referrer=news", [stocked[1]])
    assert served() == ("segment", stocked[1], "m1")
    shop.rank("segment", "plan=gold", [stocked[2]])
    assert served()[1] == stocked[2]  # a trait given in the query comes before a stored one
    shop.rank("segment", "country=FR", [stocked[3]])
    assert served()[1] == stocked[3]
    shop.rank("home", "session:s1", [stocked[4]])
    assert served() == ("session", stocked[4], "m1")
    shop.rank("home", "ann", [stocked[5]], version="m2")
    assert served() == ("personal", stocked[5], "m2")


def test_a_visitor_has_the_session_and_its_stored_traits(gateway: Any, shop: Any, ids: Any) -> None:
    stocked = shop.stock(4)
    shop.rank("segment", "country=DE", stocked[1:2])
    message = {"event_id": "e", "kind": "view", "at": "2026-03-01T00:00:00Z", "session_id": "s9", "item_id": "i001"}
    assert gateway.post("/v1/events", json=[message | {"context": {"country": "DE"}}]).status_code == 202
    answer = gateway.get("/v1/recommendations?session_id=s9").json()
    assert (answer["source"], ids(answer)[0]) == ("segment", "i002")
    shop.rank("home", "session:s9", stocked[2:3])
    answer = gateway.get("/v1/recommendations?session_id=s9").json()
    assert (answer["source"], ids(answer)[0]) == ("session", "i003")


def test_a_short_shelf_is_filled_and_each_item_says_from_where(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(6)
    shop.rank("home", "ann", ["i003", "i001"])
    shop.rank("segment", "country=FR", ["i001", "i004"])
    shop.rank("popular", "", ["i004", "i003", "i002"])
    answer = gateway.get("/v1/users/ann/recommendations?country=FR").json()
    assert ids(answer) == ["i003", "i001", "i004", "i002", "i006", "i005"]
    sources = [item["source"] for item in answer["items"]]
    assert sources == ["personal", "personal", "segment", "popular", "newest", "newest"]
    assert [item["score"] for item in answer["items"]] == [1.0, 0.5, 0.5, 0.333333, None, None]
    assert answer["source"] == "personal"


def test_the_shelves_of_an_item_step_by_step(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(4)
    shop.change("upsert", "hat", title="Hat", category="hats")
    shop.change("upsert", "cap", title="Cap", category="hats")

    def served(shelf: str) -> tuple[str, str]:
        answer = gateway.get(f"/v1/items/hat/{shelf}").json()
        assert "hat" not in ids(answer)
        return answer["source"], ids(answer)[0]

    assert served("similar") == ("newest", "cap")
    shop.rank("popular", "", ["hat", "i001"])
    assert served("similar") == ("popular", "i001")
    shop.rank("popular", "category=hats", ["hat", "cap"])
    assert served("similar") == ("popular_in_category", "cap")
    shop.rank("similar", "hat", ["hat", "i002"])
    assert served("similar") == ("similar", "i002")
    assert served("bought-together") == ("similar", "i002")
    shop.rank("bought_together", "hat", ["i003"])
    assert served("bought-together") == ("bought_together", "i003")
    assert served("similar") == ("similar", "i002")


def test_popular_is_of_the_category_asked_for(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(3)
    shop.change("upsert", "hat", title="Hat", category="hats")
    shop.change("upsert", "cap", title="Cap", category="hats")
    shop.rank("popular", "", ["i001", "hat"])
    shop.rank("popular", "category=hats", ["hat"])
    everything = gateway.get("/v1/popular").json()
    hats = gateway.get("/v1/popular?category=hats").json()
    assert (everything["source"], ids(everything)[:2]) == ("popular", ["i001", "hat"])
    assert (hats["source"], ids(hats)) == ("popular", ["hat", "cap"])
    assert [item["source"] for item in hats["items"]] == ["popular", "newest"]


def test_new_is_read_live_and_the_newest_comes_first(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(3)
    assert ids(gateway.get("/v1/new").json()) == ["i003", "i002", "i001"]
    shop.change("upsert", "fresh", title="Fresh", category="hats")
    answer = gateway.get("/v1/new").json()
    assert ids(answer)[0] == "fresh"
    assert (answer["surface"], answer["source"], answer["model_version"], answer["through"]) == (
        "new",
        "newest",
        None,
        None,
    )
    assert ids(gateway.get("/v1/new?category=hats").json()) == ["fresh"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/x/recommendations",
        "/v1/recommendations?session_id=x",
        "/v1/popular",
        "/v1/new",
        "/v1/items/no/similar",
    ],
)
def test_no_list_is_empty_while_there_is_an_item(gateway: Any, shop: Any, ids: Any, path: str) -> None:
    empty = gateway.get(path).json()
    assert (empty["source"], empty["items"], empty["next_cursor"]) == ("none", [], None)
    assert "catalogue" in empty["reason"]
    shop.stock(1)
    assert ids(gateway.get(path).json()) == ["i001"]


def test_an_item_alone_in_its_shop_has_an_empty_shelf_that_says_so(gateway: Any, shop: Any) -> None:
    shop.stock(1)
    answer = gateway.get("/v1/items/i001/similar").json()
    assert (answer["source"], answer["items"]) == ("none", [])
    assert "but this one" in answer["reason"]


def test_what_was_bought_or_dismissed_stays_off_the_fallback_shelves(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(4)
    shop.rank("popular", "", ["i001", "i002", "i003"])
    shop.event("purchase", "i001", user_id="ann")
    shop.event("dismiss", "i004", user_id="ann")
    shop.event("view", "i002", user_id="ann")
    assert ids(gateway.get("/v1/users/ann/recommendations").json()) == ["i002", "i003"]
    assert ids(gateway.get("/v1/users/bob/recommendations").json()) == ["i001", "i002", "i003", "i004"]


def test_who_bought_everything_is_shown_it_again_and_told_so(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(1)
    shop.event("purchase", "i001", user_id="ann")
    answer = gateway.get("/v1/users/ann/recommendations").json()
    assert (answer["source"], ids(answer)) == ("newest", ["i001"])
    assert "already bought" in answer["reason"]


def test_repeat_policy_show_all_hides_only_what_was_dismissed(serve: Any, shop: Any, ids: Any) -> None:
    shop.stock(2)
    shop.event("purchase", "i001", user_id="ann")
    shop.event("dismiss", "i002", user_id="ann")
    assert ids(serve(repeat_policy="show_all").get("/v1/users/ann/recommendations").json()) == ["i001"]
