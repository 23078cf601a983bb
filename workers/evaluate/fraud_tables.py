"""A fraud evaluation on the terminal: a line per run, and a table at the end."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from workers.evaluate import fraud
from workers.evaluate.fraud import Evaluation, Scored

_HEADINGS = {
    "roc_auc": "AUC ROC", "average_precision": "average precision", "card_precision@100": "card precision@100",
    "calibration_error": "calibration error",
}  # fmt: skip


def runs(console: Console) -> Callable[[Scored], None]:
    """Return a function that prints each run as it ends."""

    def report(one: Scored) -> None:
        said = ", ".join(f"{heading} {one.figures[name]:.4f}" for name, heading in _HEADINGS.items() if one.figures)
        console.print(f"{fraud.dates(one.train)} seed {one.seed} {one.name}: {said} ({one.seconds:.0f} s)")

    return report


def show(found: Evaluation, console: Console) -> None:
    """Print mean and spread of every classifier, and which lines of the file were left out."""
    asked = found.asked
    table = Table(
        title=f"Train {fraud.dates(asked.train)}, labels after {asked.delay} days, test "
        f"{fraud.dates(asked.test)}; {asked.folds} folds, {asked.seeds} seeds: mean ± over folds ± over seeds",
        title_justify="left",
        header_style="bold",
    )
    table.add_column("classifier")
    for heading in _HEADINGS.values():
        table.add_column(heading, justify="right")
    for name, figures in fraud.summary(found).items():
        cells = [_cell(figures[measure]) if measure in figures else "" for measure in _HEADINGS]
        table.add_row(name, *cells, style="bold" * (name == fraud.DETECTOR))
    console.print(table)
    for one in found.data.rejected:
        console.print(
            f"{found.data.path.name}: {one.lines} lines left out, {one.reason} (first: line {one.first_line})"
        )


def _cell(spread: dict[str, float]) -> str:
    return f"{spread['mean']:.4f} ± {spread['over_folds']:.4f} ± {spread['over_seeds']:.4f}"
