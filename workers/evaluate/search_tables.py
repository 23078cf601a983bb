"""A search evaluation on the terminal: every ranker's figures on the same queries, with and without a typing error."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from workers.evaluate.search import Evaluation
from workers.evaluate.search_files import Catalogue, Judgements

_COLUMNS = {
    "ndcg@10": ("NDCG@10", "{:.4f}"),
    "recall@10": ("recall@10", "{:.4f}"),
    "recall@100": ("recall@100", "{:.4f}"),
    "mrr": ("MRR", "{:.4f}"),
    "p50_ms": ("p50 ms", "{:.1f}"),
    "p99_ms": ("p99 ms", "{:.1f}"),
}


def show(evaluation: Evaluation, read: Iterable[Judgements | None], console: Console) -> None:
    """Print what was read, and a line for each ranker, from the simplest to the best."""
    catalogue = evaluation.catalogue
    files: list[Catalogue | Judgements] = [catalogue, *(judgements for judgements in read if judgements is not None)]
    for file in files:
        console.print(f"{file.path.name}: {file.kept:,} of {file.read:,} lines.")
        for rejected in file.rejected:
            console.print(f"  left out {rejected.lines:,}: {rejected.reason} (first: line {rejected.first_line})")
    learnt = f"; {evaluation.learnt:,} other queries were learnt from" if evaluation.learnt else ""
    console.print(f"{len(evaluation.tested.queries):,} queries over {len(catalogue.items):,} items{learnt}.")
    table = Table(header_style="bold")
    table.add_column("ranker")
    for heading, _ in _COLUMNS.values():
        table.add_column(heading, justify="right")
    table.add_column("NDCG@10, one typo", justify="right")
    for ranker, values in evaluation.figures.items():
        cells = (form.format(values[name]) for name, (_, form) in _COLUMNS.items())
        typo = evaluation.typos[ranker]["ndcg@10"]
        lost = 1 - typo / values["ndcg@10"] if values["ndcg@10"] else float("nan")
        table.add_row(ranker, *cells, f"{typo:.4f} (-{lost:.0%})")
    console.print(table)
    console.print("Seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in evaluation.seconds.items()))
