"""What the search worker writes: answers that reflect the catalogue, and go stale by what changes in it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from reshelf import parsing
from reshelf.events import shopper_key
from storage import due
from storage.events import intake
from storage.search import answers
from tests.support.searching import Shop
from workers import rows


@pytest.mark.parametrize(
    ("query", "first"), [("cordless drill", "drill"), ("celing fan", "fan"), ("手机", "phone"), ("手机壳", "case")]
)
def test_a_question_is_answered_from_the_catalogue(shop: Shop, query: str, first: str) -> None:
    assert shop.found(query)[0] == first


def test_an_answer_says_what_it_rests_on(shop: Shop) -> None:
    question = shop.ask("celing fan", explain=True)
    shop.work()
    answer = shop.answer(question)
    assert (answer["source"], answer["meant"], answer["total"]) == ("matched", "ceiling fan", 1)
    assert answer["facets"] == {"category": {"fans": 1}, "brand": {"Hampton": 1}}
    assert answer["model_version"] is None
    assert not answer["personal"]
    [held] = [one for one in answer["why"][0]["held"] if one["typed"] == "celing"]
    assert held["as"] == "spelling"
    assert {"cele", "ceil", "fan", "=celingfan"} == set(answer["terms"])


def test_filters_are_exact_and_facets_count_as_if_their_own_field_were_free(shop: Shop) -> None:
    assert shop.found("drill", brands=("Makita",), price_to=20.0) == ["bits"]
    question = shop.ask("drill", categories=("bits",))
    shop.work()
    assert shop.answer(question)["facets"]["category"] == {"drills": 1, "bits": 1}
    assert set(shop.found("fan", in_stock=False)) == {"fan", "gone"}


def test_what_finds_nothing_says_so(shop: Shop) -> None:
    question = shop.ask("zzqqx")
    shop.work()
    answer = shop.answer(question)
    assert (answer["source"], answer["total"]) == ("popular", 0)
    assert answer["item_ids"]


def test_only_answers_that_a_change_concerns_become_stale_and_are_given_anew(shop: Shop) -> None:
    fans, drills = shop.ask("fan"), shop.ask("drill")
    shop.work()
    shop.change("upsert", "fan2", title="Tower Fan", category="fans")
    assert shop.work() == 1  # the answer about fans, renewed before anybody asks
    assert set(shop.answer(fans)["item_ids"]) == {"fan", "fan2"}
    assert "fan2" not in shop.answer(drills)["item_ids"]
    shop.change("upsert", "fan2", title="Tower Heater", category=None)
    assert shop.work() == 1  # it was about fans before
    assert shop.answer(fans)["item_ids"] == ["fan"]
    assert shop.stale() == 0


def test_stock_that_changes_nothing_makes_nothing_stale(shop: Shop) -> None:
    shop.found("fan")
    shop.change("stock", "fan", stock=7)
    assert shop.work() == 0
    shop.change("stock", "gone", stock=3)
    assert shop.work() == 1
    assert set(shop.found("fan")) == {"fan", "gone"}


def test_an_item_that_nobody_had_a_word_for_is_found_once_it_comes(shop: Shop) -> None:
    question = shop.ask("zorblax")
    shop.work()
    shop.change("upsert", "z", title="Zorblax 3000")
    shop.work()
    assert shop.answer(question)["item_ids"] == ["z"]


def test_a_worker_that_starts_finds_what_changed_while_there_was_none(shop: Shop) -> None:
    question = shop.ask("fan")
    shop.work()
    shop.change("delete", "fan")
    again = Shop(shop.database, shop.serving._home)
    assert again.work() == 1
    assert again.answer(question)["item_ids"] != ["fan"]


def test_questions_that_nobody_waits_for_are_dropped_and_old_answers_too(shop: Shop) -> None:
    shop.ask("fan")
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE due SET since = since - interval '1 minute' WHERE kind = 'query'"))
        answers.drop_unanswered(connection)
        assert due.claim(connection, due.QUERY, limit=10, lease=1) == []
    shop.found("drill")
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE search_answers SET asked_at = now() - interval '2 days', times = 9"))
        shop_kept = text("SELECT count(*) FROM search_answers")
        answers.tend(connection)
        assert connection.execute(shop_kept).scalar() == 0


def test_an_answer_that_is_asked_for_often_is_given_anew_in_time(shop: Shop) -> None:
    shop.found("fan")
    shop.found("fan")
    shop.found("drill")
    with shop.database.begin() as connection:
        connection.execute(text("UPDATE search_answers SET generated_at = now() - interval '1 hour'"))
        answers.tend(connection)
    assert shop.work() == 1


def test_a_shopper_with_a_history_has_an_order_of_their_own_without_a_recommender(shop: Shop) -> None:
    for n in range(4):
        shop.change("upsert", f"mug{n}", title="coffee mug", brand=("Acme", "Bolt")[n % 2], price=10)
    at = "2026-03-01T13:00:00Z"
    click = {"event_id": "e1", "kind": "click", "at": at, "user_id": "ann", "item_id": "mug1"}
    with shop.database.begin() as connection:
        intake.write_events(connection, [rows.event_row(parsing.parse_events([click]).good[0])], writer="test")
    own, hers = shop.ask("coffee mug"), shop.ask("coffee mug", shopper=shopper_key("ann", None))
    shop.work()
    assert not shop.answer(own)["personal"]
    assert shop.answer(hers)["personal"]
    assert {shop.answer(hers)["item_ids"][n] for n in range(2)} == {"mug1", "mug3"}
    nobody = shop.ask("coffee mug", shopper=shopper_key("bob", None))
    shop.work()
    assert not shop.answer(nobody)["personal"]
    assert shop.answer(nobody)["item_ids"] == shop.answer(own)["item_ids"]
