"""Filters, and items that disappear with the commit that says so."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text


@pytest.mark.parametrize(("kind", "fields"), [("delete", {}), ("stock", {"stock": 0})])
def test_an_item_leaves_every_shelf_with_its_commit(
    gateway: Any, shop: Any, ids: Any, kind: str, fields: dict[str, Any]
) -> None:
    shop.stock(3)
    shop.rank("home", "ann", ["i001", "i002"])
    shop.rank("similar", "i003", ["i001", "i002"])
    shop.rank("popular", "", ["i001", "i002"])
    paths = ["/v1/users/ann/recommendations", "/v1/items/i003/similar", "/v1/popular", "/v1/new"]
    assert all("i001" in ids(gateway.get(path).json()) for path in paths)
    shop.change(kind, "i001", **fields)
    assert not any("i001" in ids(gateway.get(path).json()) for path in paths)
    shop.change("upsert", "i001", title="Back", stock=3)
    assert all("i001" in ids(gateway.get(path).json()) for path in paths)


def test_a_change_through_the_door_shows_in_the_next_read(gateway: Any, shop: Any) -> None:
    shop.stock(1)
    change = {"kind": "price", "change_id": "p", "item_id": "i001", "at": "2026-05-01T00:00:00Z", "price": 3.5}
    assert gateway.post("/v1/catalogue", json=[change]).status_code == 202
    assert gateway.get("/v1/new").json()["items"][0]["price"] == 3.5


def test_an_oversold_item_is_sold_out(gateway: Any, shop: Any, database: Engine) -> None:
    shop.stock(1)
    changes = [
        {"kind": "stock", "change_id": f"s{n}", "item_id": "i001", "at": f"2026-05-0{n}T00:00:00Z", "stock": stock}
        for n, stock in ((1, 1), (2, -1))
    ]
    assert gateway.post("/v1/catalogue", json=changes[:1]).status_code == 202
    assert len(gateway.get("/v1/new").json()["items"]) == 1
    assert gateway.post("/v1/catalogue", json=changes[1:]).json()["rejected"] == []
    assert gateway.get("/v1/new").json()["items"] == []
    with database.connect() as connection:
        assert connection.execute(text("SELECT stock FROM items WHERE item_id = 'i001'")).scalar_one() == 0


def test_category_is_exact_and_fills_from_its_own_newest(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(3)
    shop.change("upsert", "hat", title="Hat", category="hats")
    shop.change("upsert", "cap", title="Cap", category="hats")
    shop.change("upsert", "big", title="Big", category="hats and more")
    shop.rank("home", "ann", ["i001", "hat", "big"])
    answer = gateway.get("/v1/users/ann/recommendations?category=hats").json()
    assert ids(answer) == ["hat", "cap"]
    assert [item["source"] for item in answer["items"]] == ["personal", "newest"]


@pytest.mark.parametrize("query", ["exclude=i001,i003", "exclude=i001&exclude=i003", "exclude=i003,,i001&exclude=none"])
def test_excluded_items_are_left_out(gateway: Any, shop: Any, ids: Any, query: str) -> None:
    shop.stock(4)
    shop.rank("home", "ann", ["i001", "i002"])
    assert ids(gateway.get(f"/v1/users/ann/recommendations?{query}").json()) == ["i002", "i004"]


@pytest.mark.parametrize("query", ["category=none", "exclude=i001,i002"])
def test_filters_that_leave_nothing_are_named(gateway: Any, shop: Any, query: str) -> None:
    shop.stock(2)
    answer = gateway.get(f"/v1/users/ann/recommendations?{query}")
    assert answer.status_code == 200
    assert (answer.json()["source"], answer.json()["items"]) == ("none", [])
    assert "filters" in answer.json()["reason"]


def test_ids_with_slashes_and_spaces_are_addressable(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(2)
    shop.rank("similar", "a/b c%2F", ["i001"])
    shop.rank("home", "é/1", ["i001"])
    assert ids(gateway.get("/v1/items/a%2Fb%20c%252F/similar").json())[0] == "i001"
    assert gateway.get("/v1/users/%C3%A9%2F1/recommendations").json()["source"] == "personal"


def test_limits_up_to_a_hundred(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(105)
    assert len(ids(gateway.get("/v1/new").json())) == 20
    assert len(ids(gateway.get("/v1/new?limit=100").json())) == 100
