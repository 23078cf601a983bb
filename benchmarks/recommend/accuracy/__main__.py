"""`python -m benchmarks.recommend.accuracy`: train and test on public data with the defaults, with published figures.

Every run is one `reshelf evaluate`, whose report is kept in a folder: a second call runs only what is missing there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from benchmarks.recommend.accuracy import summary

_LEAVE_ONE_OUT = ("leave-one-out", "leave-one-out-full")
_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--data", required=True, type=_FILE, help="Folder with beauty/, sports/ and online_retail/.")
@click.option("--reports", required=True, type=_FILE, help="Folder for the reports of single runs.")
@click.option("--seeds", default=3, show_default=True, help="How often each run is made.")
@click.option("--only", multiple=True, metavar="RUN", help="Make only this run, as online_retail-time-split.")
@click.option("--out", type=_FILE, help="File for the result; it is printed in any case.")
def main(data: Path, reports: Path, seeds: int, only: tuple[str, ...], out: Path | None) -> None:
    """Print one JSON object: each run's figures as mean and spread over the seeds, next to the baselines."""
    reports.mkdir(parents=True, exist_ok=True)
    runs = _runs(data)
    if unknown := set(only) - runs.keys():
        raise click.BadParameter(f"{', '.join(sorted(unknown))}; known: {', '.join(runs)}", param_hint="--only")
    for seed in range(seeds):
        for name, options in runs.items():
            if only and name not in only:
                continue
            path = reports / f"{name}-{seed}.json"
            if not path.exists():
                _evaluate([*options, "--seed", str(seed), "--json", str(path)])
    result = json.dumps(summary.build({path.stem: _read(path) for path in sorted(reports.glob("*.json"))}), indent=1)
    if out is not None:
        out.write_text(result + "\n")
    click.echo(result)


def _runs(data: Path) -> dict[str, list[str]]:
    """Return the command line of each run by its name; `-ids` are runs without words and attributes."""
    runs = {}
    for shop in ("beauty", "sports"):
        ids = ["--events", str(data / shop / "events.csv.gz")]
        files = [*ids, "--items", str(data / shop / "items.csv.gz")]
        compared = ["recommend", "--parts"]
        runs |= {f"{shop}-{protocol}": [*compared, *files, "--protocol", protocol] for protocol in _LEAVE_ONE_OUT}
        runs[f"{shop}-leave-one-out-ids"] = [*compared, *ids, "--protocol", "leave-one-out"]
        runs[f"{shop}-cold-start"] = ["cold-start", *files]
    retail = ["--events", str(data / "online_retail" / "transactions.csv.gz"), "--protocol", "time-split"]
    return runs | {"online_retail-time-split": ["recommend", "--parts", *retail, "--cut", "2011-09-01"]}


def _evaluate(options: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "workers.cli", "evaluate", *options], check=True, stdout=subprocess.DEVNULL)


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read


if __name__ == "__main__":
    main()
