"""The made-up catalogue is one that the contract takes, and the same every time."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from demo import catalogue
from demo.words import DEPARTMENTS
from reshelf.catalogue import Upsert


def test_it_has_as_many_items_as_asked_for_with_ids_and_titles_of_their_own() -> None:
    items = catalogue.make(1500, seed=1)
    assert len(items) == 1500
    assert len({item.item_id for item in items}) == 1500
    assert len({item.title for item in items}) == 1500


@pytest.mark.parametrize("count", [100, 101, catalogue.MOST_ITEMS])
def test_other_sizes(count: int) -> None:
    items = catalogue.make(count, seed=1)
    assert len({item.item_id for item in items}) == count


def test_the_seed_makes_the_catalogue() -> None:
    assert catalogue.make(200, seed=1) == catalogue.make(200, seed=1)
    assert catalogue.make(200, seed=1) != catalogue.make(200, seed=2)


def test_every_department_is_stocked_and_prices_lie_in_the_range_of_their_kind() -> None:
    items = catalogue.make(500, seed=1)
    ranges = {(one.name, noun): prices for one in DEPARTMENTS for noun, prices in one.kinds.items()}
    assert {item.department for item in items} == {one.name for one in DEPARTMENTS}
    for item in items:
        low, high = ranges[item.department, item.noun]
        assert low - 0.02 <= item.price <= high


def test_chinese_titles_are_written_without_spaces_inside() -> None:
    titles = [item.title for item in catalogue.make(1500, seed=1) if item.noun == "手机壳"]
    assert titles
    assert all(title.endswith("手机壳") and title.count(" ") == 1 for title in titles)


def test_the_contract_takes_every_item_and_is_not_told_what_is_hidden() -> None:
    at = datetime.now(UTC)
    for item in catalogue.make(200, seed=1):
        announced = catalogue.change(item, at)
        assert msgspec.convert(announced, Upsert).title == item.title
        assert not {"appeal", "price_level"} & announced.keys()
