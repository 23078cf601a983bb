"""A small shop searched: what is found, in which order, and that an index kept up to date is the one built anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.catalogue import Item
from model.search import config
from model.search.engine import ALIKE, MATCHED, POPULAR, SORTS, Engine, Parts
from model.search.index.filters import Filters
from model.search.ranking import explain
from model.text import synonyms

CONFIG = config.preset("tiny")
ITEMS = [
    Item("drill", "Makita 18-Volt Cordless Drill", category="drills", brand="Makita", price=99.0),
    Item("bits", "Drill Bit Set for Makita Drills (20-Piece)", category="drill bits", brand="Makita", price=19.0),
    Item("fan", "Hampton Bay 52 in. Ceiling Fan with Light", category="fans", brand="Hampton Bay", price=120.0),
    Item("bulb", "60-Watt Light Bulb (4-Pack)", category="bulbs", price=5.0),
    Item("lumber", "2 in. x 4 in. x 8 ft. Treated Lumber", category="wood", price=7.5),
    Item("phone", "Apple iPhone 15 128GB 智能手机", category="智能手机", brand="Apple", price=799.0),
    Item("case", "iPhone 15 手机壳 防摔", category="手机壳", price=9.0),
    Item("gone", "Sold-Out Ceiling Fan", category="fans", price=80.0, available=False),
]


@pytest.fixture(name="engine")
def _engine() -> Engine:
    built = Engine(Parts(CONFIG))
    built.build(ITEMS)
    return built


def _ids(engine: Engine, text: str, **options: object) -> list[str]:
    found = engine.find(text, **options)  # type: ignore[arg-type]
    return [engine.collection.items[slot].item_id for slot in found.slots_K]


def test_items_without_a_title_are_found_by_id_category_and_brand() -> None:
    engine = Engine(Parts(CONFIG))
    engine.build([*ITEMS, Item("4711", "", category="teapots", brand="Acme"), Item("4712", "", category="kettles")])
    assert _ids(engine, "teapot")[0] == "4711"
    assert _ids(engine, "4712")[0] == "4712"
    assert _ids(engine, "acme")[0] == "4711"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("cordless drill 18v", "drill"),
        ("drill", "drill"),
        ("makita drill bits", "bits"),
        ("celing fan", "fan"),
        ("lightbulb", "bulb"),
        ("2x4", "lumber"),
        ("手机", "phone"),
        ("手機", "phone"),
        ("手机壳", "case"),
        ("iphone 手机壳", "case"),
        ("iphone15", "phone"),
    ],
)
def test_the_right_product_is_first(engine: Engine, text: str, first: str) -> None:
    assert _ids(engine, text)[0] == first


def test_what_was_probably_meant_is_said(engine: Engine) -> None:
    assert engine.find("celing fan").query.meant == "ceiling fan"
    assert engine.find("ceiling fan").query.meant is None
    assert engine.find("zzzzqqq fan").query.unknown == ("zzzzqqq",)


def test_filters_are_exact_and_facets_count_what_they_leave(engine: Engine) -> None:
    assert "gone" not in _ids(engine, "ceiling fan")
    assert "gone" in _ids(engine, "ceiling fan", wanted=Filters(available=False))
    assert _ids(engine, "makita", wanted=Filters(price_to=50.0)) == ["bits"]
    assert _ids(engine, "drill", wanted=Filters(categories=("drills",))) == ["drill"]
    assert _ids(engine, "drill", wanted=Filters(brands=("nobody",))) == []
    found = engine.find("makita")
    assert found.total == 2
    assert found.facets == {"category": {"drills": 1, "drill bits": 1}, "brand": {"Makita": 2}}


def test_pages_neither_repeat_nor_skip(engine: Engine) -> None:
    whole = _ids(engine, "in", wanted=Filters(available=False), k=100)
    pages = [_ids(engine, "in", wanted=Filters(available=False), k=3, start=start) for start in range(0, 9, 3)]
    assert [item for page in pages for item in page] == whole


@pytest.mark.parametrize("sort", SORTS[1:])
def test_every_sort_order_keeps_all_results(engine: Engine, sort: str) -> None:
    assert sorted(_ids(engine, "makita", sort=sort)) == ["bits", "drill"]


def test_prices_sort_both_ways_and_another_order_is_refused(engine: Engine) -> None:
    assert _ids(engine, "makita", sort="price") == ["bits", "drill"]
    assert _ids(engine, "makita", sort="-price") == ["drill", "bits"]
    with pytest.raises(ValueError, match="relevance"):
        engine.find("makita", sort="colour")


def test_a_query_that_finds_nothing_shows_what_is_popular_and_says_so(engine: Engine) -> None:
    engine.collection.count("bulb", 100.0)
    found = engine.find("qqqq")
    assert found.source == POPULAR
    assert engine.collection.items[found.slots_K[0]].item_id == "bulb"
    assert engine.find("drill").source == MATCHED


def test_synonyms_of_the_shop_find() -> None:
    engine = Engine(Parts(CONFIG, synonyms.parse(["luminaire, light bulb", "power screwdriver => cordless drill"])))
    engine.build(ITEMS)
    assert _ids(engine, "luminaire")[0] == "bulb"
    assert _ids(engine, "power screwdriver")[0] == "drill"
    assert "drill" in _ids(engine, "cordless drill")


def test_new_changed_and_deleted_items_show_at_once(engine: Engine) -> None:
    engine.put([Item("saw", "Circular Saw", price=50.0)])
    assert _ids(engine, "saw") == ["saw"]
    engine.put([Item("saw", "Jigsaw Blade", price=5.0)])
    assert _ids(engine, "circular") == [] or engine.find("circular").source != MATCHED
    assert _ids(engine, "jigsaw") == ["saw"]
    engine.remove(["saw", "never there"])
    assert engine.find("jigsaw").source != MATCHED
    engine.collection.sell(replace(ITEMS[2], available=False))
    assert engine.find("ceiling fan").source != MATCHED


class Letters:
    """An encoder of test texts: counts of letters."""

    dim = 26

    def encode(self, texts: object, *, role: str = "passage") -> np.ndarray:
        """Unit vectors of letter counts."""
        counted = [[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts]  # type: ignore[attr-defined]
        counts_NxD = np.array(counted, np.float32)
        return counts_NxD / np.maximum(np.linalg.norm(counts_NxD, axis=1, keepdims=True), 1e-6)


def test_what_is_alike_is_found_without_a_word_in_common() -> None:
    engine = Engine(Parts(CONFIG, encoder=Letters()))
    engine.build(ITEMS[:4])
    assert engine.find("kamita").source == MATCHED
    assert _ids(engine, "kamita lirld")[0] in ("drill", "bits")
    assert engine.find("qz").source == ALIKE


WORDS = ("red", "blue", "drill", "drills", "fan", "18v", "2x4", "手机", "手机壳", "light", "bulb", "lightbulb")
TITLES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
CHANGES = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | TITLES), max_size=14)


@settings(deadline=None)
@given(CHANGES, TITLES)
def test_an_index_kept_up_to_date_ranks_like_one_built_anew(changes: list[tuple[str, str | None]], text: str) -> None:
    kept = Engine(Parts(CONFIG))
    now: dict[str, str] = {}
    for item_id, title in changes:
        if title is None:
            kept.remove([item_id])
            now.pop(item_id, None)
        else:
            kept.put([Item(item_id, title)])
            now.pop(item_id, None)
            now[item_id] = title
    fresh = Engine(Parts(CONFIG))
    fresh.put([Item(item_id, title) for item_id, title in now.items()])
    assert len(kept.collection) == len(now)
    ours, theirs = kept.find(text), fresh.find(text)
    assert ours.query.meant == theirs.query.meant
    assert ours.total == theirs.total
    assert np.array_equal(ours.scores_K, theirs.scores_K)
    assert _ids(kept, text) == _ids(fresh, text)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_query_is_answered(text: str) -> None:
    engine = _shared()
    found = engine.find(text, k=3)
    assert 1 <= len(found.slots_K) == min(3, found.total)


_BUILT: list[Engine] = []


def _shared() -> Engine:
    if not _BUILT:
        _BUILT.append(Engine(Parts(CONFIG)))
        _BUILT[0].build(ITEMS)
    return _BUILT[0]


def test_a_hit_says_which_words_it_holds_and_which_it_lacks(engine: Engine) -> None:
    asked, _ = engine.ask("makita celing lightbulb 18v")
    slot = engine.collection.slot("drill")
    assert slot is not None
    why = explain.hit(asked, slot, engine.shelf())
    assert {(held.typed, held.why) for held in why.held} >= {("makita", "exact"), ("18v", "exact")}
    assert set(why.lacking) == {"celing", "lightbulb"}
    assert 0 < sum(held.share for held in why.held) < 1
    fan = engine.collection.slot("fan")
    assert fan is not None
    spelt = [held for held in explain.hit(asked, fan, engine.shelf()).held if held.typed == "celing"]
    assert [(held.terms, held.why) for held in spelt] == [(("ceil",), "spelling")]
    assert why.signals["available"] == 1.0
