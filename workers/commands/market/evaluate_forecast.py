"""`reshelf evaluate forecast`: how well weekly demand is forecast, on a file of events or the Online Retail file."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from workers import settings as configuration
from workers.commands import file_options

if TYPE_CHECKING:
    from workers.load.options import Options

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--events", required=True, type=_FILE, help="CSV, Parquet: events, or the Online Retail file.")
@click.option("--items", type=_FILE, help="The catalogue, for the categories of an event file's items.")
@click.option("--level", type=click.Choice(("item", "category", "total")), default="item", show_default=True)
@click.option("--cut", required=True, type=click.DateTime(("%Y-%m-%d",)), help="Nothing from this day on is learned.")
@click.option("--weeks", type=click.IntRange(1, 26), default=8, show_default=True, help="Whole weeks after the cut.")
@click.option("--predictions", type=_FILE, help="Write mean and intervals by series and week (.csv, .csv.gz).")
@click.option("--alone", is_flag=True, help="Only our model, without those that it is compared with.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "report", type=_FILE, help="Write the figures, and what they were measured on.")
@file_options.taken
def forecast(
    events: Path,
    items: Path | None,
    level: str,
    cut: datetime,
    weeks: int,
    predictions: Path | None,
    alone: bool,
    seed: int,
    report: Path | None,
    said: Options,
) -> None:
    """Forecast weekly units of items, categories or their total, with intervals.

    Demand is the units of the kept purchase lines; cancellations are not subtracted. Beside the model run
    seasonal-naive, AutoETS and Theta of statsforecast (the extra `evaluation`), and LightGBM.
    """
    from model.errors import ModelError
    from workers.evaluate.market import demand, screen
    from workers.evaluate.market import forecast as evaluate_forecast
    from workers.load.errors import LoadError
    from workers.runtime import device

    device.prepare(configuration.load().home)
    progress = Console(stderr=True, highlight=False)
    try:
        asked = evaluate_forecast.Asked(level, cut.date(), weeks, seed, compared=not alone)
        read = demand.read(events, items, said=said)
        found = evaluate_forecast.run(asked, read, progress.print)
    except (LoadError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    if predictions is not None:
        evaluate_forecast.write_predictions(predictions, found)
    if report is not None:
        report.write_text(json.dumps(evaluate_forecast.as_json(found), indent=1) + "\n", "utf-8")
    screen.show(found, read, Console(highlight=False))
