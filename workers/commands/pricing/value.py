"""`reshelf pricing value`: what other policies would have earned, from the decisions that are logged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table

from workers import settings as configuration
from workers.commands.database import connected

if TYPE_CHECKING:
    from model.pricing.evaluation.offline import Estimate
    from workers.pricing.valuing import Report

_AMOUNTS = ("revenue", "margin", "units")


@click.command()
@click.option("--days", type=click.IntRange(1, 728), default=91, show_default=True, help="How far back to look.")
@click.option("--amount", type=click.Choice(_AMOUNTS), default="revenue", show_default=True, help="What is added up.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def value(days: int, amount: str, as_json: bool) -> None:
    """Estimate what other policies would have earned, from logged decisions and what was sold after them.

    By inverse propensity scores and doubly robust, with intervals of 95 %. Only decisions that nobody had to approve,
    and whose price stood until the next look, say something; the others are counted.
    """
    from storage.pricing import decisions
    from workers.pricing import valuing
    from workers.registry.errors import NotEnoughData

    with connected(configuration.load(), NotEnoughData) as engine, engine.connect() as connection:
        rows = decisions.outcomes(connection, datetime.now(UTC) - timedelta(days=days))
        found = valuing.report(rows, valuing.AMOUNTS[_AMOUNTS.index(amount)])
    if as_json:
        click.echo(msgspec.json.encode(found._asdict() | {"policies": [each._asdict() for each in found.policies]}))
        return
    _show(found, Console(highlight=False))


def _show(found: Report, console: Console) -> None:
    unit = "" if found.amount == "units" else f" ({found.currency})"
    table = Table("policy", f"{found.amount} a week{unit}, inverse propensity", "doubly robust")
    for each in found.policies:
        table.add_row(each.policy, _cell(each.inverse_propensity), _cell(each.doubly_robust))
    console.print(table)
    console.print(f"{found.decisions} decisions of {found.looks} looks; intervals of 95 %")
    for reason, count in sorted(found.left_out.items()):
        console.print(f"left out: {count} decisions, {reason}")


def _cell(estimate: Estimate) -> str:
    return f"{estimate.value:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f})"
