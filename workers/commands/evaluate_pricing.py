"""`reshelf evaluate pricing`: how well demand at a price is known, on a file of weekly sales."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from workers import settings as configuration

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--sales", required=True, type=_FILE, help="CSV, Parquet: store_id, item_id, week, units, price, …")
@click.option(
    "--hold-out-stores",
    type=click.FloatRange(min=0, max=1, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the stores that nothing is learned from, and that are predicted; 0: all are both.",
)
@click.option("--weeks-ahead", type=click.IntRange(1, 26), default=4, show_default=True, help="Predicted per origin.")
@click.option("--predictions", type=_FILE, help="Write every prediction, also at 10 % higher prices (.csv, .csv.gz).")
@click.option("--alone", is_flag=True, help="Only the demand model, without those that it is compared with.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "report", type=_FILE, help="Write the figures, and what they were measured on.")
def pricing(
    sales: Path,
    hold_out_stores: float,
    weeks_ahead: int,
    predictions: Path | None,
    alone: bool,
    seed: int,
    report: Path | None,
) -> None:
    """Forecast weekly units at planned prices, and say how they answer to a price.

    The file has store_id, item_id, week, units and price, and where known deal, feature (0 to 1) and cost. At several
    origins in the last fifth of the weeks every model learns from what came before and predicts the weeks after, in
    stores that nothing was learned from. Beside the demand model run LightGBM, a log-log regression for each item, and
    double machine learning.
    """
    from model.errors import ModelError
    from workers.evaluate import pricing as evaluate_pricing
    from workers.evaluate import pricing_files, pricing_screen
    from workers.load.errors import LoadError
    from workers.runtime import device

    device.prepare(configuration.load().home)
    progress = Console(stderr=True, highlight=False)
    try:
        file = pricing_files.read(sales)
        asked = evaluate_pricing.Asked(weeks_ahead, hold_out_stores, seed, compared=not alone)
        found = evaluate_pricing.run(asked, file.panel, progress.print)
    except (LoadError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    if predictions is not None:
        evaluate_pricing.write_predictions(predictions, found)
    if report is not None:
        report.write_text(json.dumps(evaluate_pricing.as_json(found), indent=1) + "\n", "utf-8")
    pricing_screen.show(found, file, Console(highlight=False))
