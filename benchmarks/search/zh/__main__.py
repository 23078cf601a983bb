"""`python -m benchmarks.search.zh`: the Chinese searches and their baselines; one JSON object as the last line.

BM25 of bigrams, and of characters and bigrams, over titles and over titles with category and brand; this project's
search, by words and with its own encoder; with `--encoder FOLDER` also a published encoder's vectors.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import machine
from benchmarks.search.zh import figures, ours, shop, ways
from benchmarks.search.zh.shop import Searches
from model.text import tokens
from model.text.bert import encoder

_SHOWN = ("手机", "iphone 手机壳", "苹果手机", "充电宝")


def main() -> None:
    """Measure and print."""
    options = _options()
    searches = shop.read()
    queries = [query.text for query in searches.queries]
    titles = [product.title for product in searches.products]
    texts = [f"{product.title} {product.category} {product.brand}" for product in searches.products]
    measured = {
        f"{way}, {field}": _measured(searches, scores(of, queries))
        for way, scores in _ways(options.encoder).items()
        for field, of in (("titles", titles), ("titles with category and brand", texts))
    }
    for name, semantic in (("reshelf, lexical", False), ("reshelf, fused", True)):
        for field, fields in (("titles", False), ("titles with category and brand", True)):
            scored_QxN = ours.scores(searches, semantic=semantic, fields=fields)
            measured[f"{name}, {field}"] = _measured(searches, scored_QxN)
    result = {
        "benchmark": "search_zh",
        **machine.describe(jax.devices()[0].device_kind),
        "products": len(titles),
        "queries": len(queries),
        "encoder": Path(options.encoder).name if options.encoder else None,
        "ways": measured,
    }
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search.zh", description=__doc__)
    parser.add_argument("--encoder", metavar="FOLDER", help="a published encoder to compare")
    parser.add_argument("--out", metavar="FILE")
    return parser.parse_args()


def _ways(folder: str | None) -> dict[str, Callable[[list[str], list[str]], np.ndarray]]:
    found = {
        "bm25 of bigrams": functools.partial(ways.bm25, cut=ways.bigrams),
        "bm25 of characters and bigrams": functools.partial(ways.bm25, cut=tokens.tokens),
    }
    return found | ({"encoder": functools.partial(ways.cosines, encoder=encoder.load(folder))} if folder else {})


def _measured(searches: Searches, scores_QxN: np.ndarray) -> dict[str, Any]:
    rows = {query.text: row for row, query in enumerate(searches.queries)}
    titles = [product.title for product in searches.products]
    shown = {text: [titles[n] for n in figures.ranked(scores_QxN[rows[text]], 3)] for text in _SHOWN}
    return figures.compute(searches, scores_QxN) | {"first": shown}


if __name__ == "__main__":
    main()
