"""`python -m benchmarks.fraud.accuracy replay|choices|weeks|evasion|ceiling`: one JSON object, on a file of orders."""

from __future__ import annotations

import json
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.fraud.accuracy import ceiling, choices, evasion, replays, weeks
from model.fraud import config as configs

_FILE = click.Path(path_type=Path)
_RUNS = {"choices": choices.run, "weeks": weeks.run, "evasion": evasion.run, "ceiling": ceiling.run}


@click.command()
@click.argument("what", type=click.Choice(("replay", *_RUNS)))
@click.option("--transactions", required=True, type=_FILE, help="As `reshelf evaluate fraud` takes them.")
@click.option("--customers", type=click.IntRange(min=1), help="Replay only this many customers.")
@click.option("--out", type=_FILE, help="File for the result; it is printed in any case.")
def main(what: str, transactions: Path, customers: int | None, out: Path | None) -> None:
    """Print the results, and what they were measured on."""
    config = configs.preset()
    if what == "replay":
        found = replays.run(transactions, config.features, customers=customers)
    else:
        found = _RUNS[what](transactions, config)
    result = json.dumps(machine.describe("CPU") | found, indent=1)
    if out is not None:
        out.write_text(result + "\n")
    click.echo(result)


if __name__ == "__main__":
    main()
