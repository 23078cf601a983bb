"""`python -m benchmarks.search.multilingual`: queries of fifteen languages; one JSON object as the last line of stdout.

Recall@10 and MRR@10 of reshelf by words alone, of bm25s, and of SQLite's FTS5 with its Unicode tokenizer, without
diacritics, and with its trigrams: for all queries, for the half that was written before the search was made and the
half that was written after, by language, and by what is hard about a query.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np

from benchmarks import machine
from benchmarks.search.multilingual import searches, ways
from benchmarks.search.multilingual.searches import Searches
from benchmarks.search.multilingual.ways import Rank

_K = 10
_WAYS: dict[str, Callable[[Sequence[str]], Rank]] = {
    "reshelf, lexical": ways.reshelf,
    "bm25s": ways.bm25s,
    "fts5, unicode61": functools.partial(ways.fts5, tokenizer="unicode61 remove_diacritics 2"),
    "fts5, trigram": functools.partial(ways.fts5, tokenizer="trigram"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.search.multilingual", description=__doc__)
    parser.add_argument("--out", metavar="FILE")
    options = parser.parse_args()
    asked = searches.read()
    titles = [product.title for product in asked.products]
    result = {
        "benchmark": "search_multilingual",
        **machine.describe(jax.devices()[0].device_kind),
        "products": len(titles),
        "queries": len(asked.queries),
        "ways": {name: measured(asked, way(titles)) for name, way in _WAYS.items()},
    }
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def measured(asked: Searches, rank: Rank) -> dict[str, dict[str, float]]:
    """Return queries, recall@10 and MRR@10 for "all", and for each half, language and kind of query."""
    ids = [product.product_id for product in asked.products]
    rows: dict[str, list[tuple[float, float]]] = {}
    for query in asked.queries:
        found = [ids[place] for place in rank(query.text)[:_K]]
        wanted = asked.wanted[query.text]
        first = next((1 / (place + 1) for place, product_id in enumerate(found) if product_id in wanted), 0.0)
        row = (len(wanted & set(found)) / len(wanted), first)
        for group in ("all", query.half, query.language, query.kind):
            rows.setdefault(group, []).append(row)
    return {group: _means(found) for group, found in rows.items()}


def _means(rows: Sequence[tuple[float, float]]) -> dict[str, float]:
    recall, first = np.mean(rows, axis=0).round(4).tolist()
    return {"queries": len(rows), "recall@10": recall, "mrr@10": first}


if __name__ == "__main__":
    main()
