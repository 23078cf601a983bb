"""Columns of real shops: names in any spelling, two that mean the same, nulls, feeds, and columns that nobody uses."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workers.fraud import loading
from workers.load import attributes, reading, service
from workers.load.errors import NoRowsError
from workers.load.options import AMBIGUOUS_NUMBER, AMBIGUOUS_TIME, Options
from workers.load.reading import Reading


def _read(tmp_path: Path, text: str, said: Options | None = None) -> Reading:
    path = tmp_path / "file.csv"
    path.write_text(text, "utf-8")
    return service.read(path, said=said or Options())


def _items(found: Reading) -> list[dict[str, Any]]:
    return [change["fields"] for change in found.changes]  # type: ignore[misc]


@pytest.mark.parametrize(
    "header", ["Item_ID,TITLE", " item id , Title ", "itemId,title", "\ufeffITEM-ID,title", '"item_id","title"']
)
def test_names_of_columns_are_known_in_any_spelling(tmp_path: Path, header: str) -> None:
    assert _items(_read(tmp_path, f"{header}\n1,Bowl\n"))[0]["title"] == "Bowl"


def test_of_two_columns_that_mean_the_same_the_fuller_one_is_used_and_said(tmp_path: Path) -> None:
    found = _read(tmp_path, "item_id,title,text,description\n1,Bowl,,deep\n2,Cup,,tall\n")
    assert [item["text"] for item in _items(found)] == ["deep", "tall"]
    assert found.notes[0] == "`text` (column 3) and `description` (column 4) mean the same, text: column 4 is used"
    found = _read(tmp_path, "user_id,item_id,time,timestamp\na,1,2024-05-01,1714600000\n")
    assert found.kept == 1
    assert "`time` (column 3) and `timestamp` (column 4) mean the same" in found.notes[0]
    assert _items(_read(tmp_path, "item_id,title,price,price\n1,Bowl,5,7\n"))[0]["price"] == 5


def test_orders_with_two_ids_are_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text('order_id,TRANSACTION_ID,customer_id,at,amount\na,1,c,2024-05-01,"9,50 €"\n', "utf-8")
    found = loading.read(path, label_days=7)
    assert found.kept.select("order_id", "amount", "currency").rows() == [("a", 9.5, "EUR")]
    assert "mean the same, order_id: column 1 is used" in found.notes[0]


def test_a_bad_value_in_a_column_that_nobody_uses_costs_nothing(tmp_path: Path) -> None:
    found = _read(tmp_path, f"item_id,title,weight\n1,Bowl,{'x' * 300_000}\n2,Cup,\x00\n")
    assert (found.kept, found.notes) == (2, ("columns not used: weight",))


def test_words_for_nothing_are_no_values(tmp_path: Path) -> None:
    empty = ["", "null", "NULL", "None", "NaN", "N/A", r"\N"]
    lines = [f"{n},None,{word},{word},{word},{word}" for n, word in enumerate(empty)]
    found = _read(tmp_path, "\n".join(["item_id,title,brand,price,stock,attributes", *lines]))
    assert _items(found) == [{"title": "None", "deleted_at": None}] * len(empty)
    found = _read(tmp_path, "user_id,session_id,item_id,at,value\nNULL,s1,1,2024-05-01,nan\nnull,,1,2024-05-01,\n")
    assert found.events["shopper"].to_list() == ["session:s1"]
    assert found.rejected[0].reason == "no user_id"


def test_attributes_without_a_value_are_none() -> None:
    text = (
        '{"colour": null, "size": 5, "new": true, "box": {"width": 3, "lid": null}, "for": ["tea", "coffee"], "x": ""}'
    )
    assert attributes.parse(text) == ({"size": "5", "new": "true", "box.width": "3", "for": "tea, coffee"}, [])
    assert attributes.parse("colour=null|sale|size=5") == ({"size": "5"}, ["sale"])
    assert attributes.tags('["a", null, "b", "a"]') == ["a", "b"]
    for cut in ('{"colour": "red"', '{"a"}', "[1"):
        with pytest.raises(ValueError, match="is no JSON"):
            (attributes.tags if cut == "[1" else attributes.parse)(cut)


def test_a_product_feed_is_a_catalogue(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "id\ttitle\tdescription\timage_link\tavailability\tprice\tbrand\tproduct_type\tgtin\n"
        "1\tBowl\tDeep\thttps://shop.test/1.jpg\tin_stock\t15.00 USD\tAcme\tKitchen > Bowls\t40\n"
        "2\tCup\t\t\tout of stock\t$4\t\t\t\n",
    )
    bowl, cup = _items(found)
    assert (bowl["price"], bowl["currency"], bowl["category"], "stock" in bowl) == (15, "USD", "Kitchen > Bowls", False)
    assert (cup["price"], cup["currency"], cup["stock"]) == (4, "USD", 0)
    assert found.separator == "tab"
    assert any("$ was taken for USD" in note for note in found.notes)


def test_oversold_is_sold_out_and_two_currencies_are_refused(tmp_path: Path) -> None:
    found = _read(tmp_path, "item_id,title,stock,price,currency\n1,Bowl,-3,5,EUR\n2,Cup,2,5 USD,EUR\n")
    assert [item["stock"] for item in _items(found)] == [0]
    assert [one.reason for one in found.rejected] == ["price and currency name two currencies"]


def test_what_can_be_read_in_two_ways_is_left_out_until_it_is_said(tmp_path: Path) -> None:
    text = 'item_id,title,price,at\n1,Bowl,5,05/06/2024\n2,Cup,"2,499",2024-05-01\n3,Jug,"8,5",\n4,Pan,8.5,\n'
    found = _read(tmp_path, text)
    assert {one.reason: one.places for one in found.rejected} == {AMBIGUOUS_TIME: (2,), AMBIGUOUS_NUMBER: (3,)}
    said = Options(is_day_first=True, is_decimal_comma=True)
    found = _read(tmp_path, text, said)
    assert (found.kept, found.changes[0]["at"]) == (4, datetime(2024, 6, 5, tzinfo=UTC))
    assert [item["price"] for item in _items(found)] == [5, 2.499, 8.5, 8.5]


def test_one_range_of_times_holds_for_every_kind_of_file(tmp_path: Path) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    for at, is_kept in (
        ("1999-12-31", False),
        ("2000-01-01", True),
        ("2026-06-01T23:00Z", True),
        ("2026-06-03", False),
    ):
        (tmp_path / "f.csv").write_text(f"item_id,title,at,user_id,order_id,customer_id,amount\n1,Bowl,{at},u,o,c,5\n")
        kept = [service.read(tmp_path / "f.csv", format=kind, now=now).kept for kind in ("events", "items")]
        kept.append(loading.read(tmp_path / "f.csv", label_days=7, now=now).kept.height)
        assert kept == [is_kept] * 3


def test_a_catalogue_from_an_archive_has_a_plausible_time(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\n1,Bowl\n")
    os.utime(path, (315_532_800, 315_532_800))
    assert service.read(path).kept == 1


def test_a_file_of_which_nothing_is_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    found = _read(tmp_path, "user_id,item_id,at\n" + "a,1,05/06/2024\n" * 4)
    with pytest.raises(
        NoRowsError, match=r"none of its 4 lines can be loaded. 4 lines: ambiguous date: give --day-first"
    ):
        reading.require_rows(found.path, found.read, found.rejected)
    few = _read(tmp_path, "user_id,item_id,at\na,1,soon\n")
    reading.require_rows(few.path, few.read, few.rejected)
    assert few.rejected[0].example == "user_id=a, item_id=1, at=soon"
