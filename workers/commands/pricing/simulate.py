"""`reshelf pricing simulate`: the policy in simulated shops whose demand is known."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from workers import settings as configuration


@click.command()
@click.option("--shops", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--days", type=click.IntRange(min=28), default=364, show_default=True, help="How long each is watched.")
@click.option("--items", type=click.IntRange(min=4), default=24, show_default=True, help="Of each shop.")
@click.option(
    "--proposals",
    type=click.IntRange(min=0),
    default=1_000_000,
    show_default=True,
    help="Checked besides, in random states under random guardrails.",
)
@click.option("--json", "report", type=click.Path(path_type=Path), help="Write the figures, and how they were made.")
def simulate(shops: int, seed: int, days: int, items: int, proposals: int, report: Path | None) -> None:
    """Let the pricing policy work in simulated shops, and say what it earns.

    The shops take turns in the form of their demand: constant elasticity, exponential, linear, a choice among
    competitors, and drifting; past prices are confounded in all of them. Beside the policy run fixed prices, plain
    Thompson sampling, and a clairvoyant, who knows the demand and has the same guardrails. Every change is checked
    against the guardrails, the log is used to estimate other policies, and the demand model is compared with LightGBM
    on prices that were never set.
    """
    from workers.evaluate.simulated import screen
    from workers.evaluate.simulated import shops as evaluate_shops
    from workers.runtime import device

    device.prepare(configuration.load().home)
    progress = Console(stderr=True, highlight=False)
    asked = evaluate_shops.Asked(shops, seed, days, items, proposals)
    found = evaluate_shops.run(asked, progress.print)
    if report is not None:
        report.write_text(json.dumps(evaluate_shops.as_json(found), indent=1) + "\n", "utf-8")
    screen.show(found, Console(highlight=False))
