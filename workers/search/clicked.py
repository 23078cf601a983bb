"""Searches and clicks as judged queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from model.catalogue import Item
from model.search.learning import clicks
from model.search.learning.clicks import Shown
from model.search.learning.judgements import Judged
from model.text import normalise

_DEEPEST = 100


def judged(rows: Sequence[Row[Any]], items: Sequence[Item]) -> Judged:
    """Return the queries with a click, and how relevant each shown item probably was, by its index in `items`.

    `rows` are those of `storage.search.search_log`. The bias towards items at high ranks is removed as far as items
    were shown at different ranks.
    """
    places = {item.item_id: place for place, item in enumerate(items)}
    numbers: dict[str, int] = {}
    shown = [
        (numbers.setdefault(_plain(row.query), len(numbers)), places[row.item_id], row.rank, row.clicked)
        for row in rows
        if row.item_id in places
    ]
    if not shown:
        return Judged((), (), least=0.0, relevant=0.3)
    query_R, item_R, rank_R, clicked_R = (np.array(column) for column in zip(*shown, strict=True))
    rank_R = np.minimum(rank_R, _DEEPEST) - 1
    found = clicks.judged(clicks.estimate(Shown(query_R, item_R, rank_R, clicked_R.astype(bool))), list(numbers))
    clicked = set(query_R[clicked_R.astype(bool)].tolist())
    return found.pick([n for n, query in enumerate(found.queries) if numbers[query] in clicked])


def _plain(query: str) -> str:
    return " ".join(normalise.clean(query).split())
