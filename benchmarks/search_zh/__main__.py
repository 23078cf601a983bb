"""`python -m benchmarks.search_zh`: the bars on the Chinese searches; one JSON object as the last line of stdout.

Bigram BM25 over titles, and over titles with category and brand; with `--encoder FOLDER` a published encoder's vectors
of the same texts beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import machine
from benchmarks.search_zh import figures, shop, ways
from benchmarks.search_zh.shop import Searches
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
        "bm25 of bigrams, titles": _measured(searches, ways.bm25(titles, queries, ways.bigrams)),
        "bm25 of bigrams, titles with category and brand": _measured(searches, ways.bm25(texts, queries, ways.bigrams)),
        "bm25 of characters and bigrams, titles": _measured(searches, ways.bm25(titles, queries, tokens.tokens)),
    }
    if options.encoder:
        loaded = encoder.load(options.encoder)
        for name, of in (("titles", titles), ("titles with category and brand", texts)):
            measured[f"encoder, {name}"] = _measured(searches, ways.cosines(of, queries, loaded))
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
    parser = argparse.ArgumentParser(prog="benchmarks.search_zh", description=__doc__)
    parser.add_argument("--encoder", metavar="FOLDER", help="a published encoder to compare")
    parser.add_argument("--out", metavar="FILE")
    return parser.parse_args()


def _measured(searches: Searches, scores_QxN: np.ndarray) -> dict[str, Any]:
    rows = {query.text: row for row, query in enumerate(searches.queries)}
    titles = [product.title for product in searches.products]
    shown = {text: [titles[n] for n in figures.ranked(scores_QxN[rows[text]], 3)] for text in _SHOWN}
    return figures.of(searches, scores_QxN) | {"first": shown}


if __name__ == "__main__":
    main()
