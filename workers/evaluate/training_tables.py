"""A training on the terminal: a progress bar while it runs, a table of figures when it is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from model.recommend.evaluation.certainty import Certainty
from model.recommend.protocols import cold_start, prequential
from model.recommend.protocols.prequential import Score
from model.recommend.protocols.protocol import Outcome
from model.recommend.training.loop import Progress
from model.recommend.training.train import Figures
from workers.evaluate.recommend import Evaluation
from workers.recommend.training.full_training import Report

_FIGURES = {"hit_rate@10": "HR@10", "ndcg@10": "NDCG@10", "mrr@10": "MRR@10", "coverage@10": "coverage@10"}


@contextmanager
def progress(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Show a progress bar of epochs with loss and validation NDCG@10; yield the function that reports an epoch."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )  # fmt: skip
    with Bar(*columns, console=console) as bar:
        waiting = bar.add_task("compiling", total=None, note="")
        tasks: dict[str, TaskID] = {}

        def report(epoch: Progress) -> None:
            if epoch.phase not in tasks:
                bar.update(waiting, visible=False)
                tasks[epoch.phase] = bar.add_task(epoch.phase, total=epoch.epochs, note="")
            ndcg = "" if epoch.ndcg is None else f", validation NDCG@10 {epoch.ndcg:.4f}"
            # A phase without training has no loss.
            note = "" if math.isnan(epoch.loss) else f"loss {epoch.loss:.3f}{ndcg}"
            bar.update(tasks[epoch.phase], completed=epoch.epoch, total=epoch.epochs, note=note)

        yield report


def show(report: Report, console: Console) -> None:
    """Print the figures of model and baselines, what they were measured on, and what is live now."""
    if report.metrics:
        table = Table(title="Held-out test, seen items filtered", title_justify="left", header_style="bold")
        table.add_column("ranker")
        for heading in _FIGURES.values():
            table.add_column(heading, justify="right")
        for ranker, values in report.metrics.items():
            table.add_row(ranker, *(f"{values[name]:.4f}" for name in _FIGURES), style="bold" * (ranker == "model"))
        console.print(table)
    console.print(f"Held out: {report.held_out}.")
    console.print(
        f"{report.events:,} events of {report.users:,} shoppers and {report.items:,} items, {report.epochs} epochs, "
        f"{report.seconds:.0f} s."
    )
    _show_gate(report, console)
    console.print(f"Loss and validation by epoch: {report.curve}")


def _show_gate(report: Report, console: Console) -> None:
    """Print the result of the gate, and what is live now."""
    compared = report.gate.get("compared_with")
    if compared is not None:
        own, other = (report.gate["figures"][name]["ndcg@10"] for name in ("candidate", compared))
        console.print(f"Gate: NDCG@10 {own:.4f}, {compared} {other:.4f}, on {report.gate['cases']:,} new baskets.")
    for note in report.gate.get("notes", ()):
        console.print(f"Gate: {note}.")
    if report.published:
        console.print(f"Now serving {report.version}" + (f" (before: {report.previous})." if report.previous else "."))
        return
    console.print(f"Saved {report.version}, not serving.", style="red" if report.reasons else None)
    for reason in report.reasons:
        console.print(f"Why: {reason}", style="red")


def show_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print every ranker's figures on the same cases, and how long the training took."""
    outcome, known = evaluation.outcome, evaluation.data.known
    console.print(
        f"{evaluation.asked.protocol}: {len(known.interactions.users_E):,} events of {len(known.users):,} users and "
        f"{len(known.items):,} items; trained in {outcome.seconds:.0f} s ({len(outcome.history)} epochs)."
    )
    if not outcome.figures:
        console.print("No user has a basket to test on: the model is untested.", style="yellow")
        return
    console.print(_comparison("all items ranked", outcome.figures))
    if outcome.certainty is not None:
        _show_certainty(outcome.certainty, console)
    if outcome.parts:
        console.print(_parts(outcome))


def _parts(outcome: Outcome) -> Table:
    model = outcome.figures["model"]["ndcg@10"]
    table = Table(title=f"parts of the score, NDCG@10 ({model:.4f} together)", title_justify="left")
    for heading in ("part", "alone", "without it"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for name, one in outcome.parts.items():
        table.add_row(name, f"{one.alone:.4f}", f"{one.without:.4f}")
    return table


def _show_certainty(found: Certainty, console: Console) -> None:
    """Print how sure NDCG@10 is, and whether the model is above the best baseline."""
    ends = ", ".join(f"{name} {one.low:.4f} to {one.high:.4f}" for name, one in found.ndcg.items())
    console.print(f"NDCG@10, 95 % of resampled users: {ends}.")
    gain = f"{found.gain.mean:+.4f} ({found.gain.low:+.4f} to {found.gain.high:+.4f})"
    if found.is_above:
        console.print(f"The model is above {found.baseline}, the best baseline, by {gain}.")
    else:
        console.print(f"The model is not surely above {found.baseline}, the best baseline: {gain}.", style="yellow")
    if found.left_out:
        console.print(
            f"{found.left_out:,} of {found.users:,} users came back only to what they had before, and are left out; "
            f"counted as misses, NDCG@10 is {found.of_all['model']:.4f}."
        )


def show_cold_start(outcome: cold_start.Outcome, console: Console) -> None:
    """Print the figures of items without events, and of users with few."""
    title = f"{outcome.items:,} items kept out of training, ranked among all"
    console.print(_comparison(title, outcome.cold_items))
    for known, figures in outcome.cold_users.items():
        if figures:
            console.print(_comparison(f"users kept out of training, after their first {known}", figures))


def windows(console: Console) -> Callable[[Score], None]:
    """Return a function that prints one line for each window and arm as it is done."""

    def report(score: Score) -> None:
        day = datetime.fromtimestamp(score.since, UTC).date()
        tested = f"{score.cases:6,} baskets  NDCG@10 {score.ndcg:.4f}"
        console.print(f"{day}  {score.arm:<11}  {tested}  learned in {score.seconds:.0f} s")

    return report


def show_learning(outcome: prequential.Outcome, console: Console) -> None:
    """Print every arm's figures over all baskets, and the cost of its updates."""
    arms = list(outcome.retention)
    totals = {arm: outcome.total(arm) for arm in arms}
    title = f"{totals[arms[0]]['cases']:,.0f} baskets, each ranked before it was learned"
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("")
    for arm in arms:
        table.add_column(arm, justify="right")
    for name in ("ndcg@10", "hit_rate@10", "new_item_recall@10"):
        table.add_row(name, *(f"{totals[arm][name]:.4f}" for arm in arms))
    table.add_row("change on old baskets", *(f"{totals[arm]['retention_change']:+.1%}" for arm in arms))
    table.add_row("cells trained on", *(f"{totals[arm]['cells']:,.0f}" for arm in arms))
    table.add_row("seconds of updates", *(f"{totals[arm]['seconds']:,.0f}" for arm in arms))
    console.print(table)


def _comparison(title: str, figures: Figures) -> Table:
    values = next(iter(figures.values()))
    table = Table(title=f"{values['cases']:,.0f} test cases, {title}", title_justify="left", header_style="bold")
    table.add_column("")
    for ranker in figures:
        table.add_column(ranker, justify="right", style="bold" if ranker == "model" else None)
    for name in values:
        if name != "cases":
            table.add_row(name, *(f"{one[name]:.4f}" for one in figures.values()))
    return table
