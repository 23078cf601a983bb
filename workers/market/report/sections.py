"""The sections of a report: which rows each shows, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from model.market import horizon
from storage.market.rows import Cohort, Forecast, Pair, Query, Response, Segment, StockRisk, Trend
from workers.market import data
from workers.market.report import figures
from workers.market.report.content import Content, Repricing
from workers.market.report.figures import Chart, Expected

WEEKS_AHEAD = 4

_SHOWN = 12
_COHORTS = 13
_LIKELY = 0.5
_YEAR = 52
_LEAST_ELASTIC = 20


class Sum(NamedTuple):
    """Units expected over the next weeks together, with about an 80 % interval."""

    mean: float
    low: float
    high: float


class Item(NamedTuple):
    """A series in a table: how it moves, and what is expected of it, if anything is."""

    trend: Trend
    expected: Sum | None


class Figure(NamedTuple):
    """A figure at the top: its name, its value, what it was before, and a year ago (None if not known)."""

    name: str
    value: float
    before: float
    year_before: float | None
    is_money: bool


class Sections(NamedTuple):
    """Everything that the template shows."""

    weeks: int
    figures: list[Figure]
    chart: Chart | None
    expected: Sum | None
    categories: list[Item]
    sellers: list[Item]
    rising: list[Item]
    falling: list[Item]
    movers: tuple[int, int]
    risks: list[StockRisk]
    likely_out: int
    needed: list[Item]
    responses: list[Response]
    repricings: list[Repricing]
    pairs: list[Pair]
    segments: list[Segment]
    tastes: list[Segment]
    cohorts: list[tuple[date, list[Cohort]]]
    ages: int
    queries: list[Query]


def build(content: Content) -> Sections:
    """Return the sections of a report."""
    sums = _sums(content.of("forecasts"))
    items = [_item(trend, sums) for trend in content.of("trends", level="item")]
    up, down = (sorted(_moving(items, way), key=_weight, reverse=True) for way in ("rising", "falling"))
    total = content.of("sales", level="total")
    risks: list[StockRisk] = content.of("stock-risk")
    cohorts = _cohorts(content.of("cohorts"))
    return Sections(
        weeks=len(total),
        figures=_figures(total),
        chart=_chart(total, content.of("forecasts", level="total")),
        expected=sums.get(("total", "total")),
        categories=[_item(trend, sums) for trend in content.of("trends", level="category")][:_SHOWN],
        sellers=items[:_SHOWN],
        rising=up[:_SHOWN],
        falling=down[: _SHOWN // 2],
        movers=(len(up), len(down)),
        risks=[risk for risk in risks if risk.out_in_8_weeks >= _LIKELY][:_SHOWN],
        likely_out=sum(risk.out_in_4_weeks >= _LIKELY for risk in risks),
        needed=[] if risks else sorted(items, key=_needed, reverse=True)[:_SHOWN],
        responses=_responses(content.of("response")),
        repricings=list(content.repricings[:_SHOWN]),
        pairs=_once(content.of("baskets"))[:_SHOWN],
        segments=content.of("segments", method="rfm"),
        tastes=content.of("segments", method="taste"),
        cohorts=cohorts,
        ages=max((len(row) for _, row in cohorts), default=0),
        queries=content.of("queries")[:_SHOWN],
    )


def _sums(forecasts: Sequence[Forecast]) -> dict[tuple[str, str], Sum]:
    """Return what each series is expected to sell in the next weeks together."""
    weeks: dict[tuple[str, str], list[Forecast]] = {}
    for row in forecasts:
        weeks.setdefault((row.level, row.series), []).append(row)
    if not weeks:
        return {}
    shown = [rows[:WEEKS_AHEAD] for rows in weeks.values()]
    ahead = data.weeks_of(shown)
    low, high = (horizon.demand(ahead).ppf(share)[:, -1] for share in (0.1, 0.9))
    figures = zip(ahead.mean_IxH.sum(axis=1).tolist(), low.tolist(), high.tolist(), strict=True)
    return {series: Sum(*one) for series, one in zip(weeks, figures, strict=True)}


def _item(trend: Trend, sums: dict[tuple[str, str], Sum]) -> Item:
    return Item(trend, sums.get((trend.level, trend.series)))


def _moving(items: Sequence[Item], direction: str) -> list[Item]:
    return [item for item in items if item.trend.direction == direction]


def _weight(item: Item) -> float:
    """How many units a week the change makes."""
    return abs(item.trend.slope) * (item.trend.units + item.trend.units_before)


def _needed(item: Item) -> float:
    return item.expected.mean if item.expected else 0.0


def _figures(total: Sequence[Any]) -> list[Figure]:
    return [_figure(total, "revenue", is_money=True), _figure(total, "units", is_money=False)] if total else []


def _figure(total: Sequence[Any], field: str, *, is_money: bool) -> Figure:
    values = [getattr(row, field) for row in total]
    year = values[-_YEAR - WEEKS_AHEAD : -_YEAR]
    before = sum(values[-2 * WEEKS_AHEAD : -WEEKS_AHEAD])
    year_before = sum(year) if len(year) == WEEKS_AHEAD else None
    return Figure(field, sum(values[-WEEKS_AHEAD:]), before, year_before, is_money)


def _chart(total: Sequence[Any], forecasts: Sequence[Forecast]) -> Chart | None:
    if not total:
        return None
    expected = [Expected(one.week, one.mean, one.low80, one.high80, one.low95, one.high95) for one in forecasts]
    return figures.chart([row.week for row in total], [row.units for row in total], expected)


def _responses(found: Sequence[Response]) -> list[Response]:
    """Those that are surely sensitive to their price, the surest first."""
    sure = [one for one in found if one.elasticity_high < 0 and one.weeks >= _LEAST_ELASTIC]
    return sorted(sure, key=lambda one: one.elasticity_high)[:_SHOWN]


def _once(pairs: Sequence[Pair]) -> list[Pair]:
    """Of both directions of a pair, the one with the higher confidence."""
    best: dict[frozenset[str], Pair] = {}
    for pair in pairs:
        key = frozenset((pair.item_id, pair.partner_id))
        if key not in best or pair.confidence > best[key].confidence:
            best[key] = pair
    return list(best.values())


def _cohorts(found: Sequence[Cohort]) -> list[tuple[date, list[Cohort]]]:
    rows: dict[date, list[Cohort]] = {}
    for one in found:
        rows.setdefault(one.cohort, []).append(one)
    return [(cohort, row[:_COHORTS]) for cohort, row in sorted(rows.items())[-_COHORTS:]]
