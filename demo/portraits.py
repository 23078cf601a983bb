"""The end of the demo on a real file: three customers, what they bought and what they are shown."""

from __future__ import annotations

import itertools

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo import report
from demo.real import Portrait, RealOutcome


def show(console: Console, outcome: RealOutcome) -> None:
    """Print the outcome; the figures of model and baselines have already been printed."""
    for portrait in outcome.portraits:
        console.print(_portrait(portrait))
    for name, value in report.latencies(outcome.tally):
        console.print(f"{name}: {value}")
    report.end(console, outcome.places, outcome.problems(), outcome.seconds)


def _portrait(portrait: Portrait) -> Table:
    table = Table(title=f"Customer {portrait.customer_id}", title_justify="left", expand=True)
    table.add_column("bought last", ratio=1)
    table.add_column("home now", ratio=1)
    for bought, shown in itertools.zip_longest(portrait.bought, portrait.shelf, fillvalue=""):
        table.add_row(escape(bought), escape(shown))
    return table
