"""Which terms a query's results depend on: an item that never contained any of them cannot change the results.

Except for results that are only near in meaning, and for how rare each word is.
"""

from __future__ import annotations

from model.catalogue import Item
from model.search.index import document
from model.search.index.lexicon import Lexicon
from model.search.index.query import Query


def query_terms(query: Query, lexicon: Lexicon) -> set[str]:
    """The terms of the query, those that no item holds yet among them, and those that may stand for them."""
    terms = {term.term for term in query.terms} | set(query.others)
    alternatives = (alternative for clause in query.clauses for alternative in clause.alternatives)
    return terms | {lexicon.postings.terms[term] for alternative in alternatives for term in alternative.terms}


def item_terms(item: Item) -> set[str]:
    """The terms that the item contains."""
    return {term.term for terms in document.read(item).fields for term in terms}
