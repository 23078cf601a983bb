"""The Chinese searches keep the promises of their README, and the bars are measured right."""

import collections
import csv
import unicodedata

import numpy as np
import pytest

from benchmarks.search.zh import figures, ours, shop, ways


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("笔记本电脑", ["笔记", "记本", "本电", "电脑"]),
        ("ＵＳＢ3.0 床 10kg", ["usb3.0", "床", "10kg"]),
        ("", []),
    ],
)
def test_bigrams(text, expected):
    assert ways.bigrams(text) == expected


def test_bm25_of_a_rare_and_a_common_word():
    scores_QxN = ways.bm25(["red shoe", "red red hat", "blue hat"], ["red", "shoe red", "sock"], str.split)
    common, rare = np.log1p(1.5 / 2.5), np.log1p(2.5 / 1.5)
    room_N = 1.5 * (0.25 + 0.75 * np.array([2, 3, 2]) / (7 / 3))
    once, twice = 1 / (1 + room_N[0]), 2 / (2 + room_N[1])
    expected = [[common * once, common * twice, 0], [(common + rare) * once, common * twice, 0], [0, 0, 0]]
    np.testing.assert_allclose(scores_QxN, expected)


def test_figures_of_a_ranking():
    judged = {"a": 3, "b": 2, "c": 1}
    assert figures.ndcg(["a", "b"], judged) == 1.0
    assert figures.ndcg(["c", "a"], judged) == pytest.approx((2 / np.log2(3)) / (2 + 1 / np.log2(3)))
    assert figures.ndcg([], judged) == 0.0
    assert figures.recall(["b", "a"], judged) == 1.0
    assert figures.recall(["b"], judged) == 0.0
    assert figures.ranked(np.array([0.0, 2.0, 3.0, 2.0, -1.0])) == [2, 1, 3]


def test_bigrams_find_what_shares_words_and_little_else(searches):
    texts = [product.title for product in searches.products]
    scores_QxN = ways.bm25(texts, [query.text for query in searches.queries], ways.bigrams)
    found = figures.compute(searches, scores_QxN)
    assert found["plain"]["ndcg@10"] > 0.85
    assert found["synonym"]["ndcg@10"] < 0.2
    assert sum(group["queries"] for kind, group in found.items() if kind != "all") == found["all"]["queries"]


def test_our_words_find_far_more_than_bigrams(searches):
    """And the phones stand before their cases."""
    scored_QxN = ours.scores(searches, semantic=False, fields=True)
    texts = [f"{p.title} {p.category} {p.brand}" for p in searches.products]
    bigrams_QxN = ways.bm25(texts, [query.text for query in searches.queries], ways.bigrams)
    found, bar = (figures.compute(searches, scores)["all"] for scores in (scored_QxN, bigrams_QxN))
    assert found["ndcg@10"] > 1.5 * bar["ndcg@10"]
    assert found["recall@10"] > 1.5 * bar["recall@10"]
    phones = scored_QxN[[query.text for query in searches.queries].index("手机")]
    best = [searches.products[n] for n in figures.ranked(phones, 5)]
    assert [product.category for product in best] == ["智能手机"] * 5
