"""This project's search on the same queries: by words, and with the encoder that learns the catalogue."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from benchmarks.search.zh.shop import Searches
from model.catalogue import Item
from model.search import config, training
from model.search.engine import Engine, Parts


def scores(searches: Searches, *, semantic: bool, fields: bool) -> Float[np.ndarray, "Q N"]:
    """`scores_QxN`: one over the rank of each product; by titles only, or with category and brand."""
    items = [
        Item(p.product_id, p.title, category=p.category or None, brand=p.brand or None)
        if fields
        else Item(p.product_id, p.title)
        for p in searches.products
    ]
    parts = Parts(config.preset())
    if semantic:
        parts = training.with_encoder(parts, items)
    engine = Engine(parts)
    engine.build(items)
    scores_QxN = np.zeros((len(searches.queries), len(items)))
    for row, query in enumerate(searches.queries):
        ranked = engine.ranked(query.text, len(items))
        scores_QxN[row, ranked] = 1.0 / np.arange(1, len(ranked) + 1)
    return scores_QxN
