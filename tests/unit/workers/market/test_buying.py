"""Who buys: small groups are not shown, months without a return are, and tastes are named by what lies near."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from tests.support import market as support
from workers.market import buying, data, searching


def test_a_month_in_which_nobody_returned_has_a_row_and_the_present_one_none() -> None:
    rows = [(date(2026, 2, 1), 0, 10), (date(2026, 2, 1), 2, 4), (date(2026, 2, 1), 3, 9), (date(2026, 3, 1), 0, 4)]
    found = buying.cohorts(support.market_of(cohorts=pl.DataFrame(rows, schema=data.COHORTS, orient="row")))
    assert [(one.cohort.month, one.age, one.active) for one in found] == [(2, 0, 10), (2, 1, 0), (2, 2, 4)]
    assert found[2].retention == 0.4
    assert found[2].low < 0.4 < found[2].high


def test_a_segment_of_few_customers_is_not_shown() -> None:
    rows = [(1.0, 9, 100.0)] * 3 + [(200.0, 1, 5.0)] * 97
    found = buying.segments(support.market_of(customers=pl.DataFrame(rows, schema=data.CUSTOMERS, orient="row")))
    assert [(one.segment, one.customers) for one in found] == [("lost", 97)]
    assert np.isclose(found[0].revenue_share or 0, 485 / 785)


def test_tastes_are_named_by_the_categories_near_their_centre() -> None:
    rng = np.random.default_rng(0)
    axes = np.eye(3)
    items = [(f"{name}-{n}", f"{name} {n}", name, None, None) for name in ("tea", "灯具", "shoe") for n in range(60)]
    vectors = {row[0]: axes[place // 60] + rng.normal(0, 0.05, 3) for place, row in enumerate(items)}
    tastes = np.repeat(axes, (100, 80, 60), axis=0) + rng.normal(0, 0.05, (240, 3))
    found = buying.segments(
        support.market_of(
            items=pl.DataFrame(items, schema=data.ITEMS, orient="row"), vectors=vectors, tastes_CxD=tastes
        )
    )
    assert [(one.description, one.customers) for one in found] == [
        ("likes tea", 100),
        ("likes 灯具", 80),
        ("likes shoe", 60),
    ]
    assert {one.method for one in found} == {"taste"}


def test_queries_are_listed_that_find_nothing_or_are_rarely_clicked() -> None:
    rows = [
        ("found", 100, 50, 60, 25, 9),
        ("empty", 10, 5, 5, 2, 0),
        ("ignored", 40, 20, 4, 30, 12),
        ("unknown", 40, 20, 30, 10, None),
    ]
    found = searching.unanswered(support.market_of(queries=pl.DataFrame(rows, schema=data.QUERIES, orient="row")))
    assert [(one.query, one.reason) for one in found] == [("ignored", "nothing clicked"), ("empty", "nothing found")]
    assert found[0].p_value < 1e-6
