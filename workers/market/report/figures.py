"""Figures: values to the coordinates of an SVG. Colours and texts are the template's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

WIDTH, HEIGHT = 720, 240
"""The size of a chart, in SVG units."""
SPARK_WIDTH, SPARK_HEIGHT = 104, 24

_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 28
_TICKS = 4
_NICE = (1, 2, 2.5, 5, 10)
_MOST_DATES = 9


class Tick(NamedTuple):
    """A mark on an axis: where it is, and what it says."""

    at: float
    label: str


class Chart(NamedTuple):
    """A line with what is expected after it: points of polylines and polygons, and the ticks of both axes."""

    past: str
    expected: str
    band80: str
    band95: str
    now: float
    ticks_y: list[Tick]
    ticks_x: list[Tick]


class Expected(NamedTuple):
    """A week to come, with its intervals."""

    week: date
    mean: float
    low80: float
    high80: float
    low95: float
    high95: float


def chart(weeks: Sequence[date], values: Sequence[float], expected: Sequence[Expected]) -> Chart:
    """Return the chart of weekly values, the oldest first, and of the weeks to come."""
    dates = [*weeks, *(one.week for one in expected)]
    steps = ticks(max([*values, *(one.high95 for one in expected)], default=1.0))
    top = steps[-1] or 1.0

    def x(place: int) -> float:
        return _LEFT + place * (WIDTH - _LEFT - _RIGHT) / max(len(dates) - 1, 1)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - max(value, 0) / top * (HEIGHT - _TOP - _BOTTOM)

    def points(first: int, found: Sequence[float]) -> list[tuple[float, float]]:
        return [(x(first + place), y(value)) for place, value in enumerate(found)]

    # What is expected begins at the last week that is known, so that the line does not break.
    start = max(len(values) - 1, 0)
    known = list(values[-1:])
    bands = [
        points(start, [*known, *(getattr(one, high) for one in expected)])
        + points(start, [*known, *(getattr(one, low) for one in expected)])[::-1]
        for low, high in (("low80", "high80"), ("low95", "high95"))
    ]
    line = points(start, [*known, *(one.mean for one in expected)])
    return Chart(
        joined(points(0, values)),
        joined(line),
        joined(bands[0]),
        joined(bands[1]),
        x(start),
        [Tick(y(value), compact(value)) for value in steps],
        [Tick(x(place), f"{dates[place]:%b %Y}") for place in _months(dates)],
    )


def spark(values: Sequence[float]) -> tuple[str, tuple[float, float]]:
    """Return the points of a small line without axes, and its last point. The line begins at 0 upwards."""
    top = max(values, default=0.0) or 1.0
    step = (SPARK_WIDTH - 6) / max(len(values) - 1, 1)
    found = [
        (3 + place * step, SPARK_HEIGHT - 3 - value / top * (SPARK_HEIGHT - 6)) for place, value in enumerate(values)
    ]
    return joined(found), found[-1] if found else (3.0, SPARK_HEIGHT - 3.0)


def joined(points: Sequence[tuple[float, float]]) -> str:
    """Return points as SVG writes them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def ticks(most: float) -> list[float]:
    """Return round values from 0 to at least `most`."""
    if most < 1e-9:
        return [0.0, 1.0]
    rough = most / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in _NICE if nice * power >= rough * (1 - 1e-9))
    return [step * place for place in range(math.ceil(most / step - 1e-9) + 1)]


def compact(value: float) -> str:
    """Return a number as an axis shows it: 1,500 and 25k, 1.2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:.3g}{letter}"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def _months(dates: Sequence[date]) -> list[int]:
    """Return the places of the first weeks of months: of every so many, so that their names have room."""
    starts = [place for place in range(1, len(dates)) if dates[place].month != dates[place - 1].month]
    every = math.ceil(len(starts) / _MOST_DATES) or 1
    return starts[::every]
