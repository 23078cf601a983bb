"""The demo's work on real data: load the Online Retail file, learn, rank every customer, and report the figures.

The figures were measured on baskets that the model never saw; then the model is published, and the workers rank every
customer from their whole history.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine

from demo import evaluation
from demo.evaluation import Figures, Hidden
from model.artifact import Artifact
from model.recommend import weights
from model.recommend.serving.serve import Ranker
from model.recommend.training import train as model_train
from model.recommend.training.train import Fitted
from storage import due
from storage import engine as engines
from storage.registry import models, training
from workers import capabilities
from workers.doorbell import Doorbell
from workers.evaluate import training_tables
from workers.load import report as load_report
from workers.load import service as loading
from workers.load.service import Loaded
from workers.recommend.training import data as tables
from workers.recommend.training import full_training, gate
from workers.recommend.training.data import TrainingData
from workers.runtime import bootstrap, device
from workers.settings import Settings

TRAINING_MINUTES = 1.5
SEED = 0

Advance = Callable[[int], None]


class NotPublished(RuntimeError):
    """The gate rejected the model; says why."""


@dataclass(frozen=True)
class RetailReport:
    """What was loaded, the figures of every customer's ranking, and the live model."""

    loaded: Loaded
    customers: int
    scored: int
    figures: dict[str, Figures]
    trained: full_training.Report
    seconds: dict[str, float] = field(default_factory=dict)
    protocol: str = evaluation.PROTOCOL


def run(settings: Settings, data_path: Path, console: Console, *, minutes: float = TRAINING_MINUTES) -> RetailReport:
    """Load, train without every customer's last basket, rank every customer, report, and publish the model.

    The servers run already (`settings` has their addresses). Raises `LoadError`, `NotEnoughData`, `TrainingRuns`,
    `NotPublished`.
    """
    engine = engines.connect(bootstrap.required(settings.database_url, "RESHELF_DATABASE_URL"))
    device.prepare(settings.home)
    seconds: dict[str, float] = {}
    try:
        with _timed(seconds, "load"):
            loaded = _load(engine, data_path, console)
        load_report.show([loaded], console)
        with training.exclusive(engine, models.RECOMMEND):
            started = time.monotonic()
            everything = tables.read(engine)
            hidden = evaluation.hide_last_baskets(everything)
            with _timed(seconds, "learn"):
                fitted = _learn(settings, hidden, minutes, console)
            with _timed(seconds, "rank"):
                figures = _rank(fitted.artifact, hidden, console)
            with _timed(seconds, "publish"):
                trained = _publish(engine, settings, everything, fitted, started)
        report = RetailReport(loaded, len(everything.users), _scored(figures), figures, trained, seconds)
    finally:
        engine.dispose()
    show(report, console)
    _ring(settings)
    return report


def show(report: RetailReport, console: Console) -> None:
    """Print the figures of model and baselines, and in one line how they were measured."""
    for truth, figures in report.figures.items():
        table = Table(title=f"Held-out last baskets, {truth}", title_justify="left", header_style="bold")
        table.add_column("ranker")
        names = [name for name in next(iter(figures.values())) if name != "cases"]
        for name in names:
            table.add_column(name.replace("_", " "), justify="right")
        for ranker, values in figures.items():
            table.add_row(
                ranker,
                *(f"{values[name]:.4f}" for name in names),
                style="bold" if ranker == "reshelf" else None,
            )
        console.print(table)
    console.print(f"Protocol: {report.protocol}.", style="dim")
    spent = ", ".join(f"{step} {value:.0f} s" for step, value in report.seconds.items())
    console.print(
        f"{report.customers:,} customers ranked, {report.scored:,} of them scored ({spent}). "
        f"Serving {report.trained.version}: it never learnt from the hidden baskets, and ranks from whole histories."
    )


def _load(engine: Engine, path: Path, console: Console) -> Loaded:
    with _bar(console, "reading", None):
        reading = loading.read(path, format="retail")
    with _bar(console, "loading", reading.events.height + len(reading.changes)) as advance:
        return loading.write(engine, reading, advance)


def _learn(settings: Settings, hidden: Hidden, minutes: float, console: Console) -> Fitted:
    config = full_training.config_of(settings, settings.preset)
    with training_tables.progress(console) as progress:
        return model_train.fit(
            hidden.known.interactions, hidden.known.items, config, seed=SEED, minutes=minutes, progress=progress
        )


def _rank(trained: Artifact, hidden: Hidden, console: Console) -> dict[str, Figures]:
    # The hidden baskets are spread over all times.
    timeless = replace(trained, params=weights.timeless(trained.params))
    ranker = Ranker(timeless, expected_items=len(hidden.known.items))
    ranker.upsert(hidden.known.items)
    with _bar(console, "ranking every customer", 2 * len(hidden.known.users)) as advance:
        return evaluation.compare(ranker, hidden, advance)


def _publish(
    engine: Engine, settings: Settings, everything: TrainingData, fitted: Fitted, started: float
) -> full_training.Report:
    """Publish the model. The gate's cases are among the hidden baskets: the model has seen none of them.

    Raises `NotPublished`.
    """
    with engine.connect() as connection:
        live = models.live(connection)
    config = full_training.config_of(settings, settings.preset)
    cases = gate.cases(everything, gate.known_until(live), config)
    report = full_training.keep(engine, settings.home, everything, fitted, live, cases, started=started, serve=True)
    if not report.published:
        raise NotPublished(f"{report.version} does not serve: {'; '.join(report.reasons)}")
    return report


def _scored(figures: dict[str, Figures]) -> int:
    return int(figures[evaluation.ALL]["reshelf"]["cases"])


def _ring(settings: Settings) -> None:
    """Wake the workers; without a broker the next reconciliation finds what is due."""
    if settings.broker_url is not None:
        bell = Doorbell(settings.broker_url, capabilities.RINGS)
        bell.ring(due.ITEM, due.SHOPPER, due.BASKET)
        bell.close()


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - started, 1)


@contextmanager
def _bar(console: Console, what: str, total: int | None) -> Iterator[Advance]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)
