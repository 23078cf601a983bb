"""Ways to rank the titles for a query: reshelf by words alone, bm25s, and SQLite's FTS5. Each takes the titles."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from model.catalogue import Item
from model.search import config
from model.search.engine import MATCHED, Engine, Parts
from workers.evaluate import bm25_baseline

Rank = Callable[[str], list[int]]
"""Gives the places of the titles that a query finds, best first."""

_K = 10


def reshelf(titles: Sequence[str]) -> Rank:
    """This project's search with nothing learnt, not even from the catalogue."""
    engine = Engine(Parts(config.preset()))
    engine.build([Item(str(place), title) for place, title in enumerate(titles)])

    def rank(query: str) -> list[int]:
        found = engine.find(query, k=_K)
        return found.slots_K.tolist() if found.source == MATCHED else []

    return rank


def bm25s(titles: Sequence[str]) -> Rank:
    """`bm25s` with an English stemmer and stop words, Chinese characters in pairs."""
    rank = bm25_baseline.bm25s(titles)
    if rank is None:
        raise ModuleNotFoundError("bm25s is not installed: pip install bm25s")
    return rank


def fts5(titles: Sequence[str], tokenizer: str) -> Rank:
    """SQLite's FTS5 with one of its tokenizers, any word of the query, ordered by its bm25."""
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE VIRTUAL TABLE shop USING fts5(title, tokenize='{tokenizer}')")
    database.executemany("INSERT INTO shop (rowid, title) VALUES (?, ?)", enumerate(titles))

    def rank(query: str) -> list[int]:
        words = (word.replace('"', '""') for word in query.split())
        asked = " OR ".join(f'"{word}"' for word in words)
        rows = database.execute(f"SELECT rowid FROM shop WHERE shop MATCH ? ORDER BY rank LIMIT {_K}", (asked,))
        return [row[0] for row in rows]

    return rank
