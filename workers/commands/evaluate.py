"""`reshelf evaluate`: evaluate a model on files by a named protocol, next to the baselines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from workers import settings as configuration
from workers.commands import evaluate_fraud, evaluate_pricing, file_options
from workers.commands.market import evaluate_forecast

if TYPE_CHECKING:
    from workers.load.options import Options

PROTOCOLS = ("leave-one-out", "leave-one-out-full", "time-split")
ARMS = ("frozen", "naive", "incremental", "retrained")
WINDOWS = {"day": 86_400.0, "week": 7 * 86_400.0, "month": 30 * 86_400.0}
_FILE = click.Path(path_type=Path)


@click.group()
def evaluate() -> None:
    """Evaluate models on files: nothing is read from, or written to, the database."""


evaluate.add_command(evaluate_forecast.forecast)
evaluate.add_command(evaluate_fraud.fraud)
evaluate.add_command(evaluate_pricing.pricing)


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every evaluation of the recommender."""
    options = (
        click.option("--events", required=True, type=_FILE, help="CSV, Parquet: user_id, item_id, and at or position."),
        click.option("--items", type=_FILE, help="The catalogue: item_id, title, and optional columns."),
        click.option("--preset", help="Model preset. Default: RESHELF_PRESET."),
        click.option("--set", "options", multiple=True, metavar="NAME=VALUE", help="Override one option."),
        click.option("--kind", default="purchase", show_default=True, help="Kind of events that have none."),
        click.option(
            "--minutes", type=click.FloatRange(min=0.01), help="About how long to train; a refit takes a fifth."
        ),
        click.option("--seed", type=int, default=0, show_default=True),
        click.option("--json", "report", type=_FILE, help="Write the figures, and what they were measured on."),
    )
    command = file_options.taken(command)
    for option in reversed(options):
        command = option(command)
    return command


@evaluate.command()
@_shared
@click.option("--protocol", type=click.Choice(PROTOCOLS), default=PROTOCOLS[0], show_default=True)
@click.option("--cut", type=click.DateTime(), help="Time of a time split, UTC. Default: before the last tenth.")
@click.option("--keep-seen", is_flag=True, help="Rank items of the history too, and count them as hits.")
@click.option("--parts", is_flag=True, help="Also rank with each part of the score alone, and without each.")
@click.option("--predictions", type=_FILE, help="Write each user's ten best: user_id, rank, item_id (.csv, .csv.gz).")
@click.option("--curve", type=_FILE, help="Draw loss and validation by epoch (.png, .svg).")
def recommend(
    events: Path,
    items: Path | None,
    protocol: str,
    cut: datetime | None,
    preset: str | None,
    options: tuple[str, ...],
    keep_seen: bool,
    parts: bool,
    kind: str,
    said: Options,
    minutes: float | None,
    seed: int,
    predictions: Path | None,
    curve: Path | None,
    report: Path | None,
) -> None:
    """Train and test the recommender, and rank every user.

    "leave-one-out" learns from all but each user's last two baskets (papers' protocol), "leave-one-out-full" from all
    but the last, "time-split" from all before a time, and tests on the last basket after it. All items are ranked.
    """
    from model.recommend.training import coordination
    from workers.evaluate import recommend as evaluate_recommend
    from workers.evaluate import recommend_files, training_tables
    from workers.recommend.training import plots

    with _prepared(preset, options, keep_seen=keep_seen) as (config, progress):
        moment = None if cut is None else cut.replace(tzinfo=UTC).timestamp()
        asked = evaluate_recommend.Asked(protocol, config, seed, minutes, moment, parts)
        found = evaluate_recommend.run(asked, recommend_files.read(events, items, kind=kind, said=said), progress)
        if not coordination.leads():
            return
        if predictions is not None:
            evaluate_recommend.write_predictions(predictions, found)
        if curve is not None:
            plots.draw(found.outcome.history, curve)
        _write(report, evaluate_recommend.as_json(found))
    training_tables.show_evaluation(found, Console(highlight=False))


@evaluate.command()
@_shared
@click.option("--share", type=click.FloatRange(0.001, 0.5), default=0.05, show_default=True, help="Of items and users.")
def cold_start(
    events: Path,
    items: Path | None,
    preset: str | None,
    options: tuple[str, ...],
    kind: str,
    minutes: float | None,
    seed: int,
    report: Path | None,
    said: Options,
    share: float,
) -> None:
    """Keep a share of items and users out of training, then rank them: items by content, users by few events."""
    from model.recommend.protocols import cold_start as protocols_cold_start
    from model.recommend.training import coordination
    from workers.evaluate import recommend as evaluate_recommend
    from workers.evaluate import recommend_files, training_tables

    with _prepared(preset, options) as (config, progress):
        data = recommend_files.read(events, items, kind=kind, said=said)
        found = protocols_cold_start.run(
            data.known.interactions,
            data.known.items,
            config,
            share=share,
            seed=seed,
            minutes=minutes,
            progress=progress,
        )
        if not coordination.leads():
            return
        _write(report, evaluate_recommend.cold_start_as_json(found, data, config, seed))
    training_tables.show_cold_start(found, Console(highlight=False))


@evaluate.command()
@_shared
@click.option("--window", type=click.Choice(tuple(WINDOWS)), default="week", show_default=True, help="Between updates.")
@click.option(
    "--start", type=click.DateTime(), help="Start of the first window, UTC. Default: after two fifths of the events."
)
@click.option("--arm", "arms", type=click.Choice(ARMS), multiple=True, help="Only these. Default: all.")
@click.option("--curve", type=_FILE, help="Draw NDCG@10 of every arm by window (.png, .svg).")
def learn(
    events: Path,
    items: Path | None,
    preset: str | None,
    options: tuple[str, ...],
    kind: str,
    minutes: float | None,
    seed: int,
    report: Path | None,
    said: Options,
    window: str,
    start: datetime | None,
    arms: tuple[str, ...],
    curve: Path | None,
) -> None:
    """Test, then train, window by window: how well each way of updating ranks what comes next.

    "frozen" is never updated, "naive" is fine-tuned on new events alone, "incremental" is what `reshelf` does, and
    "retrained" is trained from scratch on everything. Each basket is ranked by models that know nothing from its window
    on. `--minutes` bounds each training from scratch.
    """
    from model.recommend.protocols import prequential
    from workers.evaluate import recommend as evaluate_recommend
    from workers.evaluate import recommend_files, training_tables
    from workers.recommend.training import plots

    with _prepared(preset, options) as (config, _):
        data = recommend_files.read(events, items, kind=kind, said=said)
        moment = None if start is None else start.replace(tzinfo=UTC).timestamp()
        asked = prequential.Asked(WINDOWS[window], moment, arms or ARMS, seed, minutes)
        report_window = training_tables.windows(Console(stderr=True, highlight=False))
        found = prequential.run(data.known.interactions, data.known.items, config, asked, report=report_window)
    if curve is not None:
        plots.draw_arms(found, curve)
    _write(report, evaluate_recommend.learning_as_json(found, asked, data, config))
    training_tables.show_learning(found, Console(highlight=False))


@evaluate.command()
@click.option("--catalogue", required=True, type=_FILE, help="CSV, Parquet: product_id, title, and optional columns.")
@click.option("--judgements", required=True, type=_FILE, help="query, product_id, relevance: what is tested.")
@click.option("--train-judgements", type=_FILE, help="Judgements of other queries, to train encoder and ranker.")
@click.option(
    "--hold-out",
    type=click.FloatRange(0.01, 0.99),
    help="Test on this share of the queries; learn from the others.",
)
@click.option("--unjudged", is_flag=True, help="Do not learn from judgements.")
@click.option("--encoder", type=_FILE, help="Folder of a published encoder, used together with ours.")
@click.option("--lexical", is_flag=True, help="Do not train our own encoder.")
@click.option("--synonyms", type=_FILE, help='The shop\'s list, with lines such as "fridge, refrigerator".')
@click.option("--least", type=float, default=1.0, show_default=True, help="The relevance that counts as irrelevant.")
@click.option(
    "--relevant", type=float, default=2.33, show_default=True, help="From this relevance on a product has to be found."
)
@click.option("--preset", default="small", show_default=True)
@click.option("--set", "options", multiple=True, metavar="NAME=VALUE", help="Override one option.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--predictions", type=_FILE, help="Write the 100 best: query, rank, product_id (.csv, .csv.gz).")
@click.option("--json", "report", type=_FILE, help="Write the figures, and what they were measured on.")
def search(
    catalogue: Path,
    judgements: Path,
    train_judgements: Path | None,
    hold_out: float | None,
    unjudged: bool,
    encoder: Path | None,
    lexical: bool,
    synonyms: Path | None,
    least: float,
    relevant: float,
    preset: str,
    options: tuple[str, ...],
    seed: int,
    predictions: Path | None,
    report: Path | None,
) -> None:
    """Rank a catalogue for judged queries, next to bm25s, as written and with one typing error in each.

    Without training judgements only the catalogue is learnt. "lexical" uses only the words, "fused" adds the encoder,
    "learnt" the ranker. A product without a judgement for a query counts as irrelevant.
    """
    from model.errors import ModelError
    from workers.evaluate import search as evaluate_search
    from workers.evaluate import search_files, search_tables
    from workers.evaluate import training_tables as training
    from workers.load.errors import LoadError
    from workers.runtime import device
    from workers.search import synonyms as words

    try:
        asked = evaluate_search.Asked(
            config=evaluate_search.config_of(preset, options),
            seed=seed,
            hold_out=hold_out,
            learn=not unjudged and (train_judgements is not None or hold_out is not None),
            semantic=not lexical,
            synonyms=words.read(synonyms),
            published=None if encoder is None else search_files.published(encoder),
        )
        device.prepare(configuration.load().home)
        items = search_files.catalogue(catalogue)
        read = search_files.judgements(judgements, items.items, least=least, relevant=relevant)
        other = None
        if train_judgements is not None:
            other = search_files.judgements(train_judgements, items.items, least=least, relevant=relevant)
        with training.progress(Console(stderr=True)) as progress:
            found = evaluate_search.run(asked, items, read, other, progress)
    except (LoadError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    if predictions is not None:
        evaluate_search.write_predictions(predictions, found)
    _write(report, evaluate_search.as_json(found))
    search_tables.show(found, (read, other), Console(highlight=False))


@contextmanager
def _prepared(preset: str | None, options: tuple[str, ...], *, keep_seen: bool = False) -> Iterator[tuple[Any, Any]]:
    """Yield the config and a function that reports each epoch, in a process that has joined its group, if it has one.

    An error that the user can fix ends the command with one line.
    """
    from model.errors import ModelError
    from model.recommend.training import coordination
    from workers.evaluate import recommend as evaluate_recommend
    from workers.evaluate import training_tables
    from workers.load.errors import LoadError
    from workers.registry.errors import NotEnoughData
    from workers.runtime import device, distributed

    settings = configuration.load()
    with distributed.joined(settings):
        try:
            config = evaluate_recommend.config_of(preset or settings.preset, options, keep_seen=keep_seen)
            device.prepare(settings.home)
            with training_tables.progress(Console(stderr=True, quiet=not coordination.leads())) as progress:
                yield config, progress
        except (LoadError, NotEnoughData, ModelError) as error:
            raise click.ClickException(str(error)) from error


def _write(path: Path | None, report: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
