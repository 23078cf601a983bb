"""`reshelf finetune`: update the live version with newer events, and publish the result."""

from __future__ import annotations

import click
from rich.console import Console

from workers import settings as configuration
from workers.commands import train as train_command
from workers.commands.database import connected


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.01), help="End after this long.")
@click.option("--seed", type=int, default=0, show_default=True, help="Same data and seed: same model.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def finetune(minutes: float | None, seed: int, as_json: bool) -> None:
    """Update the live version with the events after it, now, whatever RESHELF_FINETUNE_EVENTS and _HOURS say.

    Exit status 1 if the gate rejects the result: the live version stays live, and the reasons are printed.
    """
    from model.errors import ModelError
    from storage.registry.training import TrainingRuns
    from workers.evaluate import training_tables
    from workers.recommend.training import finetuning
    from workers.registry.errors import NotEnoughData, NothingToLearn
    from workers.registry.versions import VerificationFailed

    settings = configuration.load()
    trouble = (NothingToLearn, NotEnoughData, TrainingRuns, VerificationFailed, ModelError)
    with connected(settings, *trouble) as engine, training_tables.progress(Console(stderr=True)) as progress:
        report = finetuning.update(engine, settings, progress, seed=seed, minutes=minutes)
    train_command.tell(settings, report, as_json=as_json)
