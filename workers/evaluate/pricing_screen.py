"""An evaluation of the demand model on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from workers.evaluate.pricing import OURS, Evaluation
from workers.evaluate.pricing_files import SalesFile

_MOST_ITEMS = 30


def show(found: Evaluation, file: SalesFile, console: Console) -> None:
    """Print every model's figures, the elasticities of the items, and what of the file was left out."""
    console.print(_models(found))
    console.print(_items(found))
    for one in file.rejected:
        console.print(f"{file.path.name}: {one.lines} lines left out, {one.reason} (first: line {one.first_line})")


def _models(found: Evaluation) -> Table:
    asked = found.asked
    stores = f"{int(found.held_S.sum())} held-out stores" if found.held_S.any() else "all stores"
    table = Table(
        title=f"Weeks 1 to {asked.weeks_ahead} after {len(found.origins)} origins, {stores}, "
        f"{len(found.cells):,} predictions",
        title_justify="left",
        header_style="bold",
    )
    table.add_column("model")
    table.add_column("WMAPE", justify="right")
    table.add_column("units fall if the price rises", justify="right")
    for name, figures in found.figures().items():
        cells = (f"{figures['wmape']:.4f}", f"{figures['sign_accuracy']:.4f}")
        table.add_row(name, *cells, style="bold" * (name == OURS))
    return table


def _items(found: Evaluation) -> Table:
    own, cross = found.elasticities
    table = Table(title="Price elasticities, with 80 % intervals", title_justify="left", header_style="bold")
    for heading in ("item", "own", "strongest rival", "cross"):
        table.add_column(heading, justify="left" if heading in ("item", "strongest rival") else "right")
    for n, item in enumerate(found.panel.item_ids[:_MOST_ITEMS]):
        rivals = [m for m in range(len(own)) if m != n and cross[n, m, 0] == cross[n, m, 0]]
        strongest = max(rivals, key=lambda m: cross[n, m, 0], default=None)
        rival = ("", "") if strongest is None else (found.panel.item_ids[strongest], _span(cross[n, strongest]))
        table.add_row(item, _span(own[n]), *rival)
    return table


def _span(values: object) -> str:
    mean, low, high = (float(value) for value in values)  # type: ignore[attr-defined]
    return f"{mean:.2f} ({low:.2f} to {high:.2f})"
