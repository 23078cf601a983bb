import numpy as np

from model.catalogue import Item
from model.recommend import config, items

TINY = config.preset("tiny")


def test_features_do_not_depend_on_the_neighbours_or_on_the_order_of_attributes():
    one = Item("a", "red shoe", "for running", "shoes", "acme", 9.5, ("wool", "red"))
    other = Item("b", "lamp")
    alone = items.features([one], {"a": 3}, TINY)
    beside = items.features([other, Item(**vars(one) | {"attributes": ("red", "wool")})], {"a": 3}, TINY)
    for single, double in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(single[0], double[1])
    assert alone.rows_N.tolist() == [3]


def test_what_is_absent_is_zero():
    bare = items.features([Item("a", "")], {}, TINY)
    assert all(not column.any() for column in bare)


def test_impossible_prices_count_as_none():
    priced = items.features([Item("a", "", price=price) for price in (float("nan"), float("inf"), -1.0)], {}, TINY)
    assert not priced.price_NxP.any()


def test_the_same_word_differs_between_fields():
    both = items.features([Item("a", "", category="red", brand="red", attributes=("red",))], {}, TINY)
    assert len({*both.labels_NxF[0], both.attributes_NxA[0, 0]}) == 3


def test_no_items_give_empty_features():
    assert [len(column) for column in items.features([], {}, TINY)] == [0] * 5
