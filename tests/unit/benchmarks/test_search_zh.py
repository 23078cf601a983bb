"""The Chinese test set keeps the promises of its README."""

import collections
import csv
import unicodedata

import pytest

from benchmarks.search_zh import shop


@pytest.fixture(scope="module")
def searches():
    return shop.read()


def test_it_is_as_large_as_promised(searches):
    products = searches.products
    assert len(products) >= 300
    assert len({product.department for product in products}) == 10
    assert len(searches.queries) >= 150
    assert {product.product_id for product in products} == {f"z{n:03}" for n in range(1, len(products) + 1)}


def test_every_query_should_find_something(searches):
    assert set(searches.relevance) == {query.text for query in searches.queries}
    for query, found in searches.relevance.items():
        assert 3 in found.values(), query
        assert set(found.values()) <= {1, 2, 3}, query


def test_judgements_name_products_by_their_titles(searches):
    titles = {product.product_id: product.title for product in searches.products}
    with (shop.FOLDER / "judgements.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(titles[row["product_id"]] == row["title"] for row in rows)
    pairs = collections.Counter((row["query"], row["product_id"]) for row in rows)
    assert max(pairs.values()) == 1


def test_half_of_the_queries_share_no_whole_word_with_what_they_should_find(searches):
    rjieba = pytest.importorskip("rjieba", reason="words are counted with rjieba, which is not installed")

    def words(text):
        cut = rjieba.cut_for_search(unicodedata.normalize("NFKC", text).lower(), False)
        return {word for word in cut if any(character.isalnum() for character in word)}

    words_of = {product.product_id: words(product.title) for product in searches.products}
    alone = [
        query.text
        for query in searches.queries
        if query.kind != "traditional"
        and not any(
            words(query.text) & words_of[product_id]
            for product_id, relevance in searches.relevance[query.text].items()
            if relevance == 3
        )
    ]
    assert len(alone) >= len(searches.queries) / 2
    assert {"充电宝", "单车", "电脑", "耳麦"} <= set(alone)


def test_phones_and_phone_cases_are_told_apart(searches):
    categories = {product.product_id: product.category for product in searches.products}
    phones = {categories[product_id] for product_id, relevance in searches.relevance["手机"].items() if relevance == 3}
    assert "智能手机" in phones
    assert "手机壳" not in phones
