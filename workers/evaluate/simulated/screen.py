"""Simulated shops on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from workers.evaluate.simulated import lightgbm_demand, shops
from workers.evaluate.simulated.shops import OURS, PLAIN, Simulation


def show(found: Simulation, console: Console) -> None:
    """Print what was earned by form of demand, and how guardrails, offline estimates and imagined prices did."""
    figures = shops.as_json(found)
    console.print(_earned(figures))
    console.print(_mistaken(figures))
    console.print(_imagined(figures))
    rails = figures["guardrails"]
    console.print(
        f"{rails['proposals']:,} proposals, {rails['changes']:,} of them changes, "
        f"{rails['violations']} guardrails broken"
    )
    for name, each in figures["offline"].items():
        console.print(
            f"Other policies from the log, {name}: {each['covered']:.1%} of {each['estimates']} intervals of 95 % hold "
            f"the truth; they are ±{each['half_width']:.1%} wide, and {each['error']:.1%} off on average"
        )


def _earned(figures: dict[str, Any]) -> Table:
    table = _table("Share of the clairvoyant gain over fixed prices", ("demand", "shops"))
    for heading in (OURS, "by quarter", "lowest, highest", PLAIN, "regret grows with time to the", "regret in days"):
        table.add_column(heading, justify="right")
    for name, kind in figures["kinds"].items():
        ours, plain = kind[OURS], kind[PLAIN]
        table.add_row(
            name,
            str(kind["shops"]),
            f"{ours['captured']:.3f}",
            " ".join(f"{share:.2f}" for share in ours["captured_by_quarter"]),
            ", ".join(f"{share:.2f}" for share in ours["captured_range"]),
            f"{plain['captured']:.3f}",
            f"{ours['regret_growth']:.2f} (plain {plain['regret_growth']:.2f})",
            f"{ours['regret_days']:.1f} (plain {plain['regret_days']:.1f})",
            style="bold" * (name == "all"),
        )
    return table


def _mistaken(figures: dict[str, Any]) -> Table:
    table = _table("The share of who knows all but the elasticities, which are off by", ("demand",))
    for heading in shops.ERRORS:
        table.add_column(heading, justify="right")
    for name, kind in figures["kinds"].items():
        shares = kind["captured_if_elasticities_are_off"].values()
        table.add_row(name, *(f"{share:.3f}" for share in shares), style="bold" * (name == "all"))
    return table


def _imagined(figures: dict[str, Any]) -> Table:
    table = _table("Error (WMAPE) at prices of an unconfounded twin", ("demand",))
    for heading in (OURS, lightgbm_demand.NAME):
        table.add_column(f"{heading}, of the mean", justify="right")
        table.add_column(f"{heading}, of units", justify="right")
    for name, kind in figures["kinds"].items():
        cells = [
            f"{kind[figure][model]:.3f}"
            for model in (OURS, lightgbm_demand.NAME)
            for figure in ("wmape", "wmape_of_units")
        ]
        table.add_row(name, *cells, style="bold" * (name == "all"))
    return table


def _table(title: str, left: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in left:
        table.add_column(heading)
    return table
