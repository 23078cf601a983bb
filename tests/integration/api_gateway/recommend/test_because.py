"""Reasons: which event of the shopper's history moved an item, as the catalogue is now."""

from __future__ import annotations

from typing import Any

USER = "/v1/users/ann/recommendations"


def reasons(answer: dict[str, Any]) -> list[tuple[str, str, str] | None]:
    """Return (item id, title, kind) of each item's reason."""
    found = [item["because"] for item in answer["items"]]
    return [None if one is None else (one["item_id"], one["title"], one["kind"]) for one in found]


def test_each_item_says_what_moved_it(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(6)
    shop.rank("home", "ann", ["i001", "i002", "i003", "i004"], because=[("i006", "view"), None, ("i005", "purchase")])
    answer = gateway.get(USER, params={"limit": 4}).json()
    assert ids(answer) == ["i001", "i002", "i003", "i004"]
    assert reasons(answer) == [("i006", "Item i006", "view"), None, ("i005", "Item i005", "purchase"), None]


def test_an_item_that_leaves_takes_its_reason_along(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(5)
    shop.rank("home", "ann", ["i001", "i002", "i003"], because=[("i004", "view"), ("i005", "click")])
    shop.change("stock", "i001", stock=0)
    answer = gateway.get(USER, params={"limit": 2}).json()
    assert ids(answer) == ["i002", "i003"]
    assert reasons(answer) == [("i005", "Item i005", "click"), None]


def test_a_sold_out_item_is_named_and_a_deleted_or_unknown_one_is_not(gateway: Any, shop: Any) -> None:
    shop.stock(6)
    because = [("i004", "view"), ("i005", "view"), ("never announced", "view")]
    shop.rank("home", "ann", ["i001", "i002", "i003"], because=because)
    shop.change("upsert", "i004", title="New name")
    shop.change("stock", "i004", stock=0)
    first = gateway.get(USER, params={"limit": 1}).json()
    shop.change("delete", "i005")
    assert reasons(gateway.get(USER, params={"limit": 3}).json()) == [("i004", "New name", "view"), None, None]
    later = gateway.get(USER, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert reasons(later) == [None, None]


def test_later_pages_carry_reasons_as_they_stood_on_page_one(gateway: Any, shop: Any, ids: Any) -> None:
    stocked = shop.stock(50)
    kinds = ["view", "purchase", "click"]
    because = [None if n % 4 == 3 else (f"i{50 - n % 5:03}", kinds[n % 3]) for n in range(30)]
    shop.rank("home", "ann", stocked[:40], because=because)
    answers = [gateway.get(USER, params={"limit": 7}).json()]
    shop.rank("home", "ann", stocked[:40][::-1], because=[("i001", "rating")] * 20)
    shop.change("upsert", "i050", title="New name")
    while len(answers) < 5:
        cursor = answers[-1]["next_cursor"]
        answers.append(gateway.get(USER, params={"limit": 7, "cursor": cursor}).json())
    assert [item_id for answer in answers for item_id in ids(answer)] == stocked[:35]
    titles = {"i050": "New name"}
    expected = [one and (one[0], titles.get(one[0], f"Item {one[0]}"), one[1]) for one in because] + [None] * 5
    assert [one for answer in answers[1:] for one in reasons(answer)] == expected[7:]
    assert reasons(answers[0])[0] == ("i050", "Item i050", "view")


def test_what_fills_a_shelf_has_no_reason(gateway: Any, shop: Any) -> None:
    shop.stock(4)
    shop.rank("home", "ann", ["i001"], because=[("i004", "view")])
    shop.rank("popular", "", ["i002", "i001"])
    answer = gateway.get(USER).json()
    assert [item["source"] for item in answer["items"]] == ["personal", "popular", "newest", "newest"]
    assert reasons(answer) == [("i004", "Item i004", "view"), None, None, None]
    assert reasons(gateway.get("/v1/popular").json()) == [None] * 4


def test_reasons_are_those_of_the_shelf_that_serves(gateway: Any, shop: Any) -> None:
    shop.stock(6)
    shop.rank("home", "ann", ["i001", "i002"], because=[("i005", "view"), ("i005", "view")])
    shop.rank("home", "bob", ["i001"], because=[("i006", "click")])
    shop.rank("home", "session:s1", ["i001", "i002"], because=[("i003", "view"), ("i004", "view")])

    def told(path: str) -> list[Any]:
        return [one[0] for one in reasons(gateway.get(path).json()) if one is not None]

    assert told(USER) == ["i005", "i005"]
    assert told("/v1/users/bob/recommendations") == ["i006"]
    assert told("/v1/users/eve/recommendations") == []
    assert told("/v1/recommendations?session_id=s1") == ["i003", "i004"]
    # The visit of this very request: its shelf fills bob's own.
    assert told("/v1/users/bob/recommendations?session_id=s1") == ["i006", "i004"]
