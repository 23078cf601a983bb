"""An evaluation of forecasts on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from workers.evaluate.market.demand import Demand
from workers.evaluate.market.forecast import OURS, Evaluation


def show(found: Evaluation, demand: Demand, console: Console) -> None:
    """Print every model's figures, our coverage, and what of the files was left out."""
    known = found.actual_SxH.shape[1]
    if known:
        console.print(_models(found))
        if known < found.asked.weeks:
            console.print(f"measured on the {known} weeks that the file knows whole")
        if found.unforeseen:
            console.print(f"{found.unforeseen:,.0f} units were of items first sold after the cut")
    else:
        console.print("the file ends before the first week is over: there is nothing to measure the forecasts by")
    for one in demand.readings:
        for reason in one.rejected:
            console.print(f"{one.path.name}: {reason.lines:,} lines left out, {reason.reason}")


def _models(found: Evaluation) -> Table:
    asked, coverage = found.asked, found.coverage()
    title = f"{asked.weeks} weeks from {found.mondays[0]}, level {asked.level}, {len(found.series):,} series"
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("model")
    for heading in ("WAPE", "WRMSSE", "80 % holds", "95 % holds"):
        table.add_column(heading, justify="right")
    for name, figures in found.figures().items():
        held = [f"{coverage[share]:.3f}" if name == OURS else "" for share in ("80", "95")]
        cells = (f"{figures['wape']:.4f}", f"{figures['wrmsse']:.4f}", *held)
        table.add_row(name, *cells, style="bold" * (name == OURS))
    return table
