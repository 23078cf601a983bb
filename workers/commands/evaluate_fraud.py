"""`reshelf evaluate fraud`: how well frauds are found in a file of transactions, next to the usual classifiers."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from workers import settings as configuration

_FILE = click.Path(path_type=Path)


class Days(click.ParamType[tuple[int, int]]):
    """Whole days, both included: 2018-07-25..2018-07-31."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return the days since 1970-01-01."""
        if isinstance(value, tuple):
            return value
        first, dots, last = str(value).partition("..")
        try:
            span = (_day(first), _day(last if dots else first))
        except ValueError:
            self.fail(f"{value!r} is no span of days; write it as 2018-07-25..2018-07-31", param, ctx)
        if span[0] > span[1]:
            self.fail(f"{value!r} ends before it begins", param, ctx)
        return span


def _day(text: str) -> int:
    return date.fromisoformat(text.strip()).toordinal() - date(1970, 1, 1).toordinal()


@click.command()
@click.option("--transactions", required=True, type=_FILE, help="CSV, Parquet: TRANSACTION_ID, TX_DATETIME, …")
@click.option("--train", required=True, type=Days(), metavar="A..B", help="Days to train on, UTC, both included.")
@click.option("--delay", type=click.IntRange(min=0), default=7, show_default=True, help="Days until a label is known.")
@click.option("--test", type=Days(), metavar="C..E", help="Days to test on. Default: as many, after the delay.")
@click.option(
    "--folds", type=click.IntRange(min=1), default=1, show_default=True, help="Also a week earlier, and so on."
)
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many seeds each fold is run with."
)
@click.option("--predictions", type=_FILE, help="Write transaction_id, score of every test order (.csv, .csv.gz).")
@click.option("--preset", default="default", show_default=True, help="default, network, trees or tiny.")
@click.option("--set", "options", multiple=True, metavar="NAME=VALUE", help="Override one option.")
@click.option("--alone", is_flag=True, help="Only the detector, without the classifiers that it is compared with.")
@click.option("--json", "report", type=_FILE, help="Write the figures, and what they were measured on.")
def fraud(
    transactions: Path,
    train: tuple[int, int],
    delay: int,
    test: tuple[int, int] | None,
    folds: int,
    seeds: int,
    predictions: Path | None,
    preset: str,
    options: tuple[str, ...],
    alone: bool,
    report: Path | None,
) -> None:
    """Train the fraud detector on some days, and test it on later ones whose labels were unknown.

    The protocol is that of the Fraud-Detection-Handbook: cards that are known to be compromised are left out of the
    figures (they are in the predictions). Logistic regression, random forest and LightGBM run on the handbook's fifteen
    features for comparison.
    """
    from model.errors import ModelError
    from model.fraud.evaluation.protocol import Span
    from workers.evaluate import fraud as evaluate_fraud
    from workers.evaluate import fraud_files, fraud_tables
    from workers.load.errors import LoadError
    from workers.runtime import device

    device.prepare(configuration.load().home)
    days = train[1] - train[0]
    tested = test or (train[1] + delay + 1, train[1] + delay + 1 + days)
    try:
        config = evaluate_fraud.config_of(preset, options, delay=delay)
        asked = evaluate_fraud.Asked(config, Span(*train), Span(*tested), delay, folds, seeds, not alone)
        data = fraud_files.read(transactions, delay=delay)
        found = evaluate_fraud.run(asked, data, fraud_tables.runs(Console(stderr=True, highlight=False)))
    except (LoadError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    if predictions is not None:
        evaluate_fraud.write_predictions(predictions, found)
    if report is not None:
        report.write_text(json.dumps(evaluate_fraud.as_json(found), indent=1) + "\n", "utf-8")
    fraud_tables.show(found, Console(highlight=False))
