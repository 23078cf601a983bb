"""A taste in brands and prices orders what is left to like."""

import numpy as np
import pytest

from model.catalogue import Item
from model.search.index.collection import Collection
from model.search.ranking import personalisation


@pytest.fixture(name="collection")
def _collection():
    made = Collection()
    for n in range(20):
        made.put(Item(f"lamp{n}", "lamp", category="lamps", brand=f"b{n % 4}", price=10.0 + n))
        made.put(Item(f"sofa{n}", "sofa", category="sofas", brand=f"b{n % 4}", price=500.0 + 10 * n))
    made.put(Item("bare", "lamp"))
    return made


def _slots(collection, *item_ids):
    return np.array([collection.slot(item_id) for item_id in item_ids])


def test_a_brand_that_was_met_is_liked_in_another_category(collection):
    liked = personalisation.from_items(_slots(collection, "sofa1", "sofa5", "sofa17"), collection)
    other, same = personalisation.liking(liked, _slots(collection, "lamp8", "lamp9"), collection)
    assert same > other


@pytest.mark.parametrize(("met", "first"), [(("sofa0", "sofa4"), "lamp4"), (("sofa12", "sofa16"), "lamp12")])
def test_who_buys_dear_things_likes_dear_things_but_two_prove_little(collection, met, first):
    of_one_brand = [f"lamp{n}" for n in range(0, 20, 4)]
    liked = personalisation.from_items(_slots(collection, *met), collection)
    assert of_one_brand[personalisation.liking(liked, _slots(collection, *of_one_brand), collection).argmax()] == first


def test_an_item_without_brand_and_price_is_neither_liked_nor_disliked(collection):
    liked = personalisation.from_items(_slots(collection, "sofa0", "bare"), collection)
    best, bare, worst = personalisation.liking(liked, _slots(collection, "lamp0", "bare", "lamp19"), collection)
    assert best > bare > worst
    assert not personalisation.liking(liked, _slots(collection, "bare"), collection).any()
    assert personalisation.liking(liked, np.zeros(0, int), collection).shape == (0,)


def test_prices_of_a_category_follow_its_items(collection):
    lamps, sofas = (collection.categories.known([name])[0] for name in ("lamps", "sofas"))
    assert collection.prices_of(lamps).tolist() == [10.0 + n for n in range(20)]
    collection.sell(Item("lamp0", "lamp", category="lamps", brand="b0", price=99.0))
    collection.remove("lamp1")
    collection.put(Item("sofa0", "sofa bed", category="lamps", price=None))
    collection.put(Item("lamp2", "lamp", category="sofas", price=1.0))
    assert collection.prices_of(lamps).tolist() == [*(10.0 + n for n in range(3, 20)), 99.0]
    assert collection.prices_of(sofas).tolist() == [1.0, *(500.0 + 10 * n for n in range(1, 20))]
