"""Queries with which shoppers do not find what they want, and whether they become more."""

from __future__ import annotations

from typing import Literal

from model.market import queries as emerging
from storage.market import searches
from storage.market.rows import Query
from workers.market.data import Market

RARELY_CLICKED = 0.1
"""A query counts as unanswered when at most this share of its searches has a click."""

_SHARE = searches.RECENT_WEEKS / searches.WEEKS


def unanswered(market: Market) -> list[Query]:
    """Return the queries that find nothing, or are rarely clicked, those that grow most surely first."""
    recent = market.queries["recent"].to_numpy()
    growth, p_value = emerging.growth(recent, market.queries["searches"].to_numpy() - recent, share=_SHARE)
    found = []
    for row, ratio, chance in zip(market.queries.iter_rows(named=True), growth, p_value, strict=True):
        clicked = row["clicked"] / row["searches"]
        reason = _reason(row["found"], clicked)
        if reason is not None:
            counts = row["searches"], row["shoppers"], clicked, row["found"], row["recent"]
            found.append(Query(row["query"], reason, *counts, float(ratio), float(chance)))
    return sorted(found, key=lambda one: (one.p_value, -one.searches, one.query))


def _reason(found: int | None, clicked: float) -> Literal["nothing found", "nothing clicked"] | None:
    if found == 0:
        return "nothing found"
    return "nothing clicked" if clicked <= RARELY_CLICKED else None
