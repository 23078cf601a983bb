"""Searching through the gateway: the worker's answer, what stands in for it, and what is live of each item."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from storage import due
from tests.support import waiting
from tests.support.searching import Bell, Client, Shop


def search(gateway: Client, q: str, **parameters: Any) -> dict[str, Any]:
    answer = gateway.get("/v1/search", params={"q": q, **parameters})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def test_the_worker_answers_once_and_the_answer_is_kept(gateway: Client, bell: Bell) -> None:
    first = search(gateway, "Ceiling  FAN")
    assert ids(first) == ["fan"]
    assert (first["query"], first["source"], first["fallback"], first["total"]) == ("ceiling fan", "matched", None, 1)
    assert first["facets"] == {"category": {"fans": 1}, "brand": {"Hampton": 1}}
    rung = len(bell.rung)
    again = search(gateway, "ceiling fan")
    assert ids(again) == ["fan"]
    assert again["generated_at"] == first["generated_at"]
    assert again["request_id"] != first["request_id"]
    assert len(bell.rung) == rung


def test_without_the_worker_postgres_answers_and_says_so(alone: Client) -> None:
    answer = search(alone, "drills makita")
    assert set(ids(answer)) == {"drill", "bits"}
    assert (answer["source"], answer["fallback"], answer["facets"]) == ("lexical", "lexical", None)
    assert set(ids(search(alone, "手机"))) == {"phone", "case"}
    assert ids(search(alone, "手机壳")) == ["case"]
    assert ids(search(alone, "ceiling zzqqx")) == ["fan"]
    nothing = search(alone, "zzqqx")
    assert (nothing["source"], nothing["total"]) == ("popular", 0)
    assert nothing["items"]
    assert nothing["reason"]


def test_postgres_finds_other_spellings_codes_and_words_inside_of_runs_too(alone: Client, shop: Shop) -> None:
    titles = {
        "soup": "Crème de Châtaignes Łódź 380 g",
        "tyre": "Winter tyre 205/55R16",
        "cam": "Lens RF-2450X",
        "bag": "กระเป๋าหนัง สีดำ",
        "purse": "가죽지갑 여성",
        "dryer": "ヘアードライヤー",
        "rug": "سَجَّادة صوف",
        "chair": "कुर्सी लकड़ी",
        "SKU-0815/b": "Doorstop",
    }
    for item_id, title in titles.items():
        shop.change("upsert", item_id, title=title)
    asked = {
        "creme chataignes": "soup",
        "lodz": "soup",
        "205/55 r16": "tyre",
        "rf2450x": "cam",
        "rf 2450": "cam",
        "หนัง": "bag",
        "지갑": "purse",
        "ﾄﾞﾗｲﾔｰ": "dryer",
        "سجاده": "rug",
        "कुर्सि": "chair",
        "sku0815b": "SKU-0815/b",
        "SKU 0815 B": "SKU-0815/b",
    }
    assert {query: ids(search(alone, query))[:1] for query in asked} == {q: [one] for q, one in asked.items()}


def test_a_title_is_shown_and_found_without_its_mark_up(gateway: Client, alone: Client, shop: Shop) -> None:
    shop.change(
        "upsert",
        "frame",
        title='<span style="color:red">Oak</span> &amp;amp; ash frame',
        text="<p>Holds &lt;3 photos</p><p>of 10&nbsp;cm</p>",
        brand="Nut &amp; Bolt",
    )
    shop.work()
    for client in (gateway, alone):
        [frame] = [item for item in search(client, "oak frame")["items"] if item["item_id"] == "frame"]
        assert (frame["title"], frame["brand"]) == ("Oak & ash frame", "Nut & Bolt")
        assert "frame" not in ids(search(client, "span")) or search(client, "span")["source"] == "popular"


def test_with_search_turned_off_nobody_waits(serve: Callable[..., Client], bell: Bell) -> None:
    answer = search(serve(search=False, search_deadline_ms=60_000), "drill")
    assert answer["fallback"] == "lexical"
    assert due.QUERY not in bell.rung


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"brand": "Makita", "price_to": 20}, {"bits"}),
        ({"category": ["bits", "drills"]}, {"bits", "drill"}),
        ({"price_from": 1000}, set()),
    ],
)
def test_filters_hold_whoever_answers(
    serve: Callable[..., Client], parameters: dict[str, Any], expected: set[str]
) -> None:
    for gateway in (serve(), serve(search=False)):
        answer = search(gateway, "drill", **parameters)
        assert set(ids(answer)) == expected
        assert (answer["source"] == "none") is not bool(expected)


@pytest.mark.parametrize("is_there", [True, False])
def test_sort_orders(serve: Callable[..., Client], is_there: bool) -> None:
    gateway = serve(search=is_there)
    assert ids(search(gateway, "makita", sort="price")) == ["bits", "drill"]
    assert ids(search(gateway, "makita", sort="-price")) == ["drill", "bits"]
    assert ids(search(gateway, "makita", sort="newest")) == ["bits", "drill"]


def test_sold_out_deleted_and_dearer_items_are_gone_with_the_commit(gateway: Client, bell: Bell, shop: Shop) -> None:
    assert set(ids(search(gateway, "makita", price_to=150))) == {"drill", "bits"}
    bell.is_heard = False
    shop.change("price", "drill", price=200)
    assert ids(search(gateway, "makita", price_to=150)) == ["bits"]
    shop.change("stock", "bits", stock=0)
    assert search(gateway, "makita", price_to=150)["source"] == "none"


def test_items_that_are_sold_out_come_only_where_they_are_asked_for(serve: Callable[..., Client]) -> None:
    for gateway in (serve(), serve(search=False)):
        assert ids(search(gateway, "ceiling fan")) == ["fan"]
        both = {item["item_id"]: item["available"] for item in search(gateway, "fan", in_stock=False)["items"]}
        assert both == {"fan": True, "gone": False}


@pytest.mark.parametrize("is_there", [True, False])
def test_pages_neither_repeat_nor_skip_whatever_comes_between(
    serve: Callable[..., Client], shop: Shop, is_there: bool
) -> None:
    for number in range(30):
        shop.change("upsert", f"lamp{number}", title=f"Lamp {number}", price=number)
    gateway = serve(search=is_there)
    page = search(gateway, "lamp", limit=7)
    assert page["total"] == 30
    seen = ids(page)
    while page["next_cursor"]:
        number = len(seen)
        shop.change("upsert", f"more{number}", title="Lamp", price=5)
        shop.change("delete", seen[0])
        search(gateway, "lamp", limit=3)
        page = search(gateway, "lamp", limit=7, cursor=page["next_cursor"])
        assert page["total"] is None
        assert page["facets"] is None
        seen += ids(page)
    assert len(seen) == 30
    assert set(seen) == {f"lamp{number}" for number in range(30)}
    wrong = gateway.get("/v1/search", params={"q": "lamps", "cursor": search(gateway, "lamp", limit=7)["next_cursor"]})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["field"] == "cursor"


def test_an_explanation_says_what_an_item_holds(gateway: Client) -> None:
    [hit] = search(gateway, "celing fan", explain=True)["items"]
    assert {held["typed"]: held["as"] for held in hit["why"]["held"]} == {"celing": "spelling", "fan": "exact"}
    assert hit["why"]["signals"]["available"] == 1.0
    assert search(gateway, "celing fan")["items"][0]["why"] is None


def test_a_stale_answer_serves_while_it_is_renewed_and_where_it_is_not(
    serve: Callable[..., Client], bell: Bell, shop: Shop
) -> None:
    gateway = serve(search_deadline_ms=50)
    shop.found("fan")
    bell.is_heard = False
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE search_answers SET stale_since = now()"))
    assert search(gateway, "fan")["fallback"] is None
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE search_answers SET stale_since = now() - interval '1 minute'"))
    assert search(gateway, "fan")["fallback"] == "older"
    assert bell.rung[-1] == due.QUERY
    assert search(gateway, "fan", user_id="ann")["fallback"] == "public"


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"q": ""}, "q"),
        ({"q": "x" * 257}, "q"),
        ({"q": "a\x00b"}, "q"),
        ({"q": "fan", "price_from": 9, "price_to": 8}, "price_from"),
        ({"q": "fan", "price_to": "nan"}, "price_to"),
        ({"q": "fan", "sort": "colour"}, "sort"),
        ({"q": "fan", "limit": 0}, "limit"),
        ({"q": "fan", "cursor": "nonsense"}, "cursor"),
        ({"q": "fan", "user_id": ""}, "user_id"),
    ],
)
def test_a_bad_parameter_is_named(gateway: Client, parameters: dict[str, Any], field: str) -> None:
    answer = gateway.get("/v1/search", params=parameters)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_how_often_an_answer_was_asked_for_is_counted(serve: Callable[..., Client], shop: Shop) -> None:
    gateway = serve()
    for _ in range(3):
        search(gateway, "fan")
    with gateway.portal() as portal:
        portal.call(gateway.app.state.services.usage.write)
    with shop.database.connect() as connection:
        assert connection.execute(text("SELECT times FROM search_answers")).scalar() == 3


def test_who_asks_while_the_answer_is_being_written_waits_for_the_worker_and_never_the_worker_for_them(
    serve: Callable[..., Client], bell: Bell, shop: Shop
) -> None:
    gateway, question = serve(), shop.ask("fan")
    bell.is_heard = False
    with shop.database.begin() as connection, ThreadPoolExecutor(1) as beside:
        connection.execute(text("UPDATE search_answers SET total = 0 WHERE key = :key"), {"key": question.key})
        asked = beside.submit(search, gateway, "fan")
        waiting.wait_until(lambda: _waits_for_a_lock(shop), what="the gateway waits for the answer's row")
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        assert connection.execute(text("DELETE FROM due WHERE kind = 'query'")).rowcount == 1
        connection.commit()
        shop.work()
        assert ids(asked.result(10)) == ["fan"]


def test_an_answer_whose_row_is_locked_for_long_is_not_waited_for(serve: Callable[..., Client], shop: Shop) -> None:
    gateway, question = serve(search_deadline_ms=100), shop.ask("fan")
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE search_answers SET total = 0 WHERE key = :key"), {"key": question.key})
        assert search(gateway, "fan")["fallback"] == "lexical"


def _waits_for_a_lock(shop: Shop) -> bool:
    with shop.database.connect() as connection:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%search_answers%'"
        return connection.execute(text(waits)).scalar_one() == 1
