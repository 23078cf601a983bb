"""The searches in fifteen languages keep the promises of their README, and each way finds what it can."""

from __future__ import annotations

import collections

import pytest

from benchmarks.search.multilingual import searches, ways
from benchmarks.search.multilingual.__main__ import measured
from benchmarks.search.multilingual.searches import Searches


@pytest.fixture(name="asked", scope="module")
def _asked() -> Searches:
    return searches.read()


def test_it_is_as_large_as_promised_in_every_language(asked: Searches) -> None:
    languages = collections.Counter(product.language for product in asked.products)
    assert len(languages) == 15
    assert set(languages.values()) == {14}
    halves = collections.Counter((query.language, query.half) for query in asked.queries)
    assert set(halves.values()) == {7}
    assert len(halves) == 30


def test_every_query_should_find_products_of_its_language(asked: Searches) -> None:
    language_of = {product.product_id: product.language for product in asked.products}
    assert asked.wanted.keys() == {query.text for query in asked.queries}
    for query in asked.queries:
        assert {language_of[product_id] for product_id in asked.wanted[query.text]} == {query.language}


def test_figures_are_of_what_was_found_and_where(asked: Searches) -> None:
    first = asked.queries[0]
    place = next(n for n, p in enumerate(asked.products) if p.product_id in asked.wanted[first.text])
    found = measured(asked, lambda query: [place + 1, place] if query == first.text else [])
    assert found["all"] == {"queries": 210, "recall@10": round(1 / 210, 4), "mrr@10": round(0.5 / 210, 4)}
    assert found[first.half]["queries"] == 105


@pytest.mark.parametrize("tokenizer", ["unicode61 remove_diacritics 2", "trigram"])
def test_the_bars_find_words_as_they_stand(tokenizer: str) -> None:
    titles = ["red wool hat", "blue cotton cap", 'quoted "cap"']
    assert ways.fts5(titles, tokenizer)("wool") == ways.bm25s(titles)("wool") == ways.reshelf(titles)("wool") == [0]
    assert set(ways.fts5(titles, tokenizer)("cap zzz")) == {1, 2}
    assert ways.fts5(titles, tokenizer)('"cap"')[0] == 2


def test_nearly_all_is_found(asked: Searches) -> None:
    found = measured(asked, ways.reshelf([product.title for product in asked.products]))
    assert found["all"]["recall@10"] >= 0.99
    assert found["all"]["mrr@10"] >= 0.99
