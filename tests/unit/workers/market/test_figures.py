"""Figures of the report: round ticks, and coordinates inside the picture."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.market.report import figures, page
from workers.market.report.figures import Expected

MONDAY = date(2026, 1, 5)


@given(st.floats(1e-3, 1e9))
def test_ticks_are_round_and_reach_the_most(most: float) -> None:
    found = figures.ticks(most)
    assert found[0] == 0
    assert found[-1] >= most * (1 - 1e-6)
    assert found[-1] <= 2.6 * most
    assert 3 <= len(found) <= 6


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=60), st.integers(0, 8))
def test_every_point_lies_in_the_picture(values: list[float], ahead: int) -> None:
    weeks = [MONDAY + timedelta(weeks=week) for week in range(len(values) + ahead)]
    expected = [Expected(week, 5.0, 3.0, 8.0, 1.0, 9.0) for week in weeks[len(values) :]]
    chart = figures.chart(weeks[: len(values)], values, expected)
    points = " ".join((chart.past, chart.expected, chart.band80, chart.band95)).split()
    for x, y in (map(float, point.split(",")) for point in points):
        assert 0 <= x <= figures.WIDTH
        assert 0 <= y <= figures.HEIGHT
    points, _ = figures.spark(values)
    assert len(points.split()) == len(values)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.5, "0.5"), (950, "950"), (1500, "1,500"), (25_000, "25k"), (1.5e6, "1.5M")]
)
def test_numbers_on_an_axis_are_short(value: float, text: str) -> None:
    assert figures.compact(value) == text


@pytest.mark.parametrize(
    ("value", "before", "text"),
    [
        (11, 10, "▲ 10 %"),
        (9, 10, "▼ 10 %"),
        (10, 10, "as before"),
        (50, 10, "▲ 5.0 ×"),
        (5, 0, "new"),
        (0, 0, "as before"),
    ],
)
def test_a_change_has_a_sign_that_needs_no_colour(value: float, before: float, text: str) -> None:
    assert page.change(value, before) == text


def test_money_has_its_currency() -> None:
    assert page.money(12.5, "GBP") == "£12.50"
    assert page.money(1234.5, "CHF") == "CHF 1,234"
    assert page.money(3, None) == "3.00"
