"""Plain catalogue files, and categories from titles."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from workers.evaluate import recommend_files
from workers.load import categories, service

CATALOGUE = """\
item_id,title,category,brand,price,stock,attributes,at,weight
1,Red lamp,Lamps,Acme,9.99,3,colour=red|sale,2024-05-01,5
2,Blue lamp,,,,,"{""colour"": ""blue""}",,
3,,,,,,,,
,Nameless,,,,,,,
4,Lamp,,,cheap,,,,
5,Lamp,,,,,,someday,
2,Blue lamp II,,,12,,Lamps|Acme,,
"""


def test_every_line_is_kept_or_has_one_reason(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(CATALOGUE, "utf-8")
    os.utime(path, (1714557600, 1714557600))
    reading = service.read(path)
    assert {reason.reason: reason.lines for reason in reading.rejected} == {
        "no item_id": 1, "bad price": 1, "bad at": 1, "repeated item_id, a later line counts": 1,
    }  # fmt: skip
    assert (reading.format, reading.read, reading.kept) == ("items", 7, 3)
    assert reading.notes == (
        "columns not used: weight",
        "without a value: title 1, category 6, brand 6, price 4; an item without a title is called by its id",
    )
    red, bare, blue = reading.changes
    assert bare["fields"] == {"title": "3", "deleted_at": None}
    assert red["fields"] == {
        "title": "Red lamp", "category": "Lamps", "brand": "Acme", "price": 9.99, "stock": 3,
        "attributes": {"colour": "red"}, "tags": ("sale",), "deleted_at": None,
    }  # fmt: skip
    assert blue["fields"] == {"title": "Blue lamp II", "price": 12.0, "tags": ("Lamps", "Acme"), "deleted_at": None}
    assert red["at"] == datetime(2024, 5, 1, tzinfo=UTC)
    assert blue["at"] == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert reading.changes == service.read(path).changes


def test_a_catalogue_without_titles_is_one_of_its_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,category,attributes\n7,Lamps,colour=red\n8,Mugs,\n", "utf-8")
    reading = service.read(path)
    assert (reading.format, reading.kept, reading.rejected) == ("items", 2, ())
    assert [change["fields"]["title"] for change in reading.changes] == ["7", "8"]
    known = recommend_files.items_of(reading)
    assert [(item.title, item.category, item.attributes) for item in known] == [
        ("", "Lamps", ("colour=red",)), ("", "Mugs", ()),
    ]  # fmt: skip


def test_a_category_is_the_thing_that_a_title_names() -> None:
    colours = ["red", "blue", "green", "white", "pink", "black", "ivory", "grey"]
    mugs, boxes = [f"{colour} mug" for colour in colours], [f"{colour} tin boxes set 3" for colour in colours]
    found = categories.from_titles([*mugs, *boxes, "set of 3 mugs red", "box red", "something else"])
    assert found[:8] == ["Mug"] * 8
    assert found[-3:-1] == ["Mug", None]
    assert found[-1] is None
