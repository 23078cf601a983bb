"""Render a report: one HTML file that loads nothing, with every text escaped."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from workers.market.report import figures, sections
from workers.market.report.content import Content

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def render(content: Content) -> str:
    """Return the report as HTML. The same content gives the same text."""
    found = sections.build(content)
    environment = _environment(content.currency)
    return environment.get_template("page.html.j2").render(content=content, **found._asdict())


def _environment(currency: str | None) -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": number, "percent": percent, "day": day, "chance": chance, "spark": figures.spark}
    made.filters["money"] = lambda value: money(value, currency)
    made.globals |= {"change": change, "range_of": range, "size": figures, "ahead": sections.WEEKS_AHEAD}
    return made


def number(value: float) -> str:
    """Return a number of pieces: with a decimal only below ten."""
    return f"{value:,.1f}" if 0 < abs(value) < 10 and value != round(value) else f"{value:,.0f}"


def money(value: float, currency: str | None) -> str:
    """Return an amount with its currency, without cents from a thousand on."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    return text if currency is None else f"{_SYMBOLS.get(currency, currency + ' ')}{text}"


def percent(value: float, digits: int = 0) -> str:
    """Return a share as a percentage."""
    return f"{100 * value:.{digits}f} %"


def chance(value: float) -> str:
    """Return a probability in words where it is nearly certain."""
    if value >= 0.995:
        return "almost surely"
    return "hardly" if value < 0.005 else f"{100 * value:.0f} %"


def change(value: float, before: float) -> str:
    """Return how much a value differs from the one before, with its direction as a sign that needs no colour."""
    if not before:
        return "new" if value else "as before"
    share = value / before - 1
    if abs(share) < 0.005:
        return "as before"
    if share >= 2:
        return f"▲ {value / before:.1f} ×"
    return f"{'▲' if share > 0 else '▼'} {abs(share) * 100:.0f} %"


def day(value: date) -> str:
    """Return a date with its month as a word, which nobody reads in the wrong order."""
    return f"{value.day} {value:%B %Y}"
