"""All analyses of a market, as the rows that are kept, and notes for whoever reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.market.results import Results
from workers.market import buying, forecasts, searching, selling
from workers.market.data import Market


@dataclass(frozen=True)
class Found:
    """The rows by analysis, and what is missing or weak, in words."""

    rows: Results
    notes: Sequence[str]


def results(market: Market, *, seed: int = 0) -> Found:
    """Return the rows of all analyses. The same market and seed give the same rows."""
    expected = forecasts.weekly(market, seed=seed)
    rows: Results = {
        "sales": selling.sales(market),
        "forecasts": expected,
        "trends": selling.movements(market),
        "baskets": buying.pairs(market),
        "segments": buying.segments(market, seed=seed),
        "cohorts": buying.cohorts(market),
        "queries": searching.unanswered(market),
        "stock-risk": selling.stock_risks(market, expected),
        "response": selling.responses(market),
    }
    return Found(rows, list(_notes(market, rows)))


def _notes(market: Market, rows: Results) -> Iterator[str]:
    needed = forecasts.least_weeks()
    if len(market.weeks) < needed:
        yield f"There are {len(market.weeks)} whole weeks of sales: a forecast needs {needed}."
    if not rows["stock-risk"]:
        yield "No item that sells has a known stock: what runs out is not known."
    if not market.customers.height:
        yield "No purchase names a customer: there are no segments and no cohorts."
    if not market.queries.height:
        yield "No query was searched for by three shoppers or more."
