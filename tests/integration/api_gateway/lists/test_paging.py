"""Pages: the list as it stood on page one, whatever becomes of the ranking meanwhile."""

from __future__ import annotations

import base64
from typing import Any

import pytest

USER = "/v1/users/ann/recommendations"


def walk(gateway: Any, path: str, params: dict[str, Any], between: Any = None) -> list[dict[str, Any]]:
    """Return the answers of all pages."""
    answers = [gateway.get(path, params=params).json()]
    while (cursor := answers[-1]["next_cursor"]) is not None:
        if between is not None:
            between()
        answers.append(gateway.get(path, params={"limit": params["limit"], "cursor": cursor}).json())
        assert len(answers) < 100
    return answers


def test_pages_cover_the_list_once_and_end(gateway: Any, shop: Any, ids: Any) -> None:
    stocked = shop.stock(230)
    shop.rank("home", "ann", stocked[:200])
    answers = walk(gateway, USER, {"limit": 30})
    assert [len(answer["items"]) for answer in answers] == [30] * 6 + [20]
    assert [item_id for answer in answers for item_id in ids(answer)] == stocked[:200]
    first = {key: answers[0][key] for key in ("surface", "source", "model_version", "generated_at", "through")}
    assert all({key: answer[key] for key in first} == first for answer in answers)
    assert len({answer["request_id"] for answer in answers}) == len(answers)
    scores = [item["score"] for answer in answers for item in answer["items"]]
    assert scores == [float(f"{1 / place:.6g}") for place in range(1, 201)]


def test_pages_stand_while_the_ranking_is_rewritten(gateway: Any, shop: Any, ids: Any) -> None:
    stocked = shop.stock(150)
    shop.rank("home", "ann", stocked)
    versions = iter(range(2, 100))

    def rewrite() -> None:
        number = next(versions)
        shop.rank("home", "ann", stocked[number:] + stocked[:number], version=f"m{number}")

    answers = walk(gateway, USER, {"limit": 40}, rewrite)
    assert [item_id for answer in answers for item_id in ids(answer)] == stocked
    assert {answer["model_version"] for answer in answers} == {"m1"}
    assert gateway.get(USER).json()["model_version"] == "m4"


def test_later_pages_drop_what_was_deleted_and_lose_nothing_else(gateway: Any, shop: Any, ids: Any) -> None:
    stocked = shop.stock(120)
    shop.rank("home", "ann", stocked)
    first = gateway.get(USER, params={"limit": 50}).json()
    shop.change("delete", "i051")
    shop.change("stock", "i070", stock=0)
    shop.change("delete", "i001")
    second = gateway.get(USER, params={"limit": 50, "cursor": first["next_cursor"]}).json()
    third = gateway.get(USER, params={"limit": 50, "cursor": second["next_cursor"]}).json()
    rest = [item_id for item_id in stocked[50:] if item_id not in ("i051", "i070")]
    assert ids(second) + ids(third) == rest
    assert third["next_cursor"] is None


def test_filled_pages_keep_the_source_of_each_item(gateway: Any, shop: Any, ids: Any) -> None:
    stocked = shop.stock(12)
    shop.rank("home", "ann", stocked[:3])
    shop.rank("popular", "", stocked[2:6])
    answers = walk(gateway, USER, {"limit": 4})
    items = [item for answer in answers for item in answer["items"]]
    assert [item["item_id"] for item in items] == stocked[:6] + stocked[:5:-1]
    assert [item["source"] for item in items] == ["personal"] * 3 + ["popular"] * 3 + ["newest"] * 6
    assert [answer["source"] for answer in answers] == ["personal", "popular", "newest"]
    assert items[-1]["score"] is None


def test_filters_of_page_one_hold_for_later_pages(gateway: Any, shop: Any, ids: Any) -> None:
    shop.stock(20)
    for number in range(10):
        shop.change("upsert", f"hat{number}", title="Hat", category="hats")
    answers = walk(gateway, "/v1/new", {"limit": 3, "category": "hats", "exclude": "hat4,hat8"})
    assert sorted(item_id for answer in answers for item_id in ids(answer)) == [
        f"hat{n}" for n in (0, 1, 2, 3, 5, 6, 7, 9)
    ]
    first = gateway.get("/v1/new", params={"limit": 3, "category": "hats"}).json()
    shop.change("upsert", "hat6", title="No hat any more", category="shoes")
    second = gateway.get("/v1/new", params={"limit": 3, "cursor": first["next_cursor"], "exclude": "hat5"}).json()
    assert ids(first) + ids(second) == ["hat9", "hat8", "hat7", "hat4", "hat3", "hat2"]


def test_a_page_of_which_nothing_is_left_says_so(gateway: Any, shop: Any) -> None:
    shop.stock(2)
    first = gateway.get("/v1/new?limit=1").json()
    shop.change("delete", "i001")
    last = gateway.get("/v1/new", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert (last["source"], last["items"], last["next_cursor"]) == ("none", [], None)
    assert "ended" in last["reason"]


def test_forged_and_broken_cursors_are_refused(gateway: Any, shop: Any) -> None:
    shop.stock(40)
    good = gateway.get(USER, params={"limit": 10}).json()["next_cursor"]
    raw = bytearray(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))
    raw[len(raw) // 2] ^= 1
    flipped = base64.urlsafe_b64encode(raw).decode()
    for bad in (flipped, good[:-4], good + "AAAA", "x", "!!!!", "é", "AAAA" * 3000, base64.b64encode(b"{}").decode()):
        answer = gateway.get(USER, params={"cursor": bad})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "cursor"), bad
    assert gateway.get(USER, params={"cursor": good}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/users/bob/recommendations", "/v1/new", "/v1/items/ann/similar"])
def test_a_cursor_belongs_to_its_list(gateway: Any, shop: Any, path: str) -> None:
    shop.stock(40)
    cursor = gateway.get(USER, params={"limit": 10}).json()["next_cursor"]
    answer = gateway.get(path, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "cursor")
