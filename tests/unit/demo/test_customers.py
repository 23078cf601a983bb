"""Customers click by taste and position, and by nothing else."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from demo import catalogue, customers, taste
from demo.catalogue import Item
from demo.customers import CURIOSITY, FAMILIAR, Customer
from demo.taste import Taste

ITEMS = catalogue.make(300, seed=1)


@pytest.fixture
def customer() -> Customer:
    item = ITEMS[0]
    liked = Taste({item.department: 1.0}, frozenset({item.noun}), frozenset({item.brand}), item.price_level)
    return Customer("ann", "DE", liked)


def _clicks(customer: Customer, shelf: list[Item], times: int = 2000) -> Counter[int]:
    rng = random.Random(1)
    counts: Counter[int] = Counter()
    places = {id(item): place for place, item in enumerate(shelf)}
    for _ in range(times):
        customer.clicked.clear()
        customer.bought.clear()
        counts.update(places[id(reaction.item)] for reaction in customers.look(customer, shelf, rng))
    return counts


def test_an_item_of_the_taste_is_clicked_far_more_often_than_a_stranger(customer: Customer) -> None:
    stranger = next(item for item in ITEMS if item.department != ITEMS[0].department)
    counts = _clicks(customer, [ITEMS[0], stranger])
    assert counts[0] > 20 * counts[1]
    assert counts[1] > 0, "customers are curious"


def test_the_same_item_is_clicked_less_the_further_down_it_stands(customer: Customer) -> None:
    shelf = [replace(ITEMS[0], item_id=f"copy-{place}") for place in range(20)]
    counts = _clicks(customer, shelf)
    assert counts[0] > counts[5] > counts[19] > 0
    assert counts[19] / counts[0] == pytest.approx(customers.examination(19) / customers.examination(0), rel=0.15)


def test_appeal_rises_with_every_match_and_is_nothing_outside_of_the_departments(customer: Customer) -> None:
    item, liked = ITEMS[0], customer.taste
    best = taste.appeal(liked, item)
    assert 0 < best <= 1
    assert taste.appeal(replace(liked, nouns=frozenset()), item) < best
    assert taste.appeal(replace(liked, brands=frozenset()), item) < best
    assert taste.appeal(replace(liked, price_level=item.price_level + 1), item) < best
    assert taste.appeal(replace(liked, departments={"elsewhere": 1.0}), item) == 0


def test_what_was_clicked_is_less_tempting_and_what_was_bought_not_at_all(customer: Customer) -> None:
    item = ITEMS[0]
    fresh = customers.click_probability(customer, item)
    customer.clicked.add(item.item_id)
    assert customers.click_probability(customer, item) == pytest.approx(FAMILIAR * fresh)
    customer.bought.add(item.item_id)
    assert customers.click_probability(customer, item) == 0


def test_a_stranger_is_clicked_out_of_curiosity_only(customer: Customer) -> None:
    stranger = next(item for item in ITEMS if item.department != ITEMS[0].department)
    assert customers.click_probability(customer, stranger) == CURIOSITY


def test_a_purchase_follows_a_cart_and_a_cart_a_click(customer: Customer) -> None:
    rng = random.Random(1)
    seen = {customers.react(customer, ITEMS[0], rng).kinds for _ in range(200)}
    assert seen == {("click",), ("click", "add_to_cart"), ("click", "add_to_cart", "purchase")}


def test_a_taste_drifts_in_its_weakest_department_only() -> None:
    rng = random.Random(1)
    before = taste.make(rng)
    after = taste.drift(before, rng)
    assert list(after.departments)[:2] == list(before.departments)[:2]
    assert set(after.departments) != set(before.departments)
    assert sum(after.departments.values()) == pytest.approx(1)


def test_the_two_groups_are_stable_and_about_equal() -> None:
    people = customers.make(600, seed=1)
    sizes = Counter(one.group for one in people)
    assert set(sizes) == {"home", "popular"}
    assert min(sizes.values()) > 250
    assert [one.group for one in customers.make(600, seed=2)] == [one.group for one in people]


def test_the_same_seed_reacts_the_same() -> None:
    def reactions(seed: int) -> list[tuple[str, tuple[str, ...]]]:
        person, rng = customers.make(20, seed=1)[3], random.Random(seed)
        return [(one.item.item_id, one.kinds) for _ in range(20) for one in customers.look(person, ITEMS, rng)]

    assert reactions(1) == reactions(1)
    assert reactions(1) != reactions(2)
