"""`python -m benchmarks.recommend.peers`: an epoch of RecTools' SASRec and of ours, at its size, one after the other.

RecTools needs its own environment (see `rectools_sasrec.py`); `--peer` is its Python.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks import machine

# RecTools' size. Like the peer, ours uses only ids here: no words, no attributes.
_SIZE = {"dim": 64, "blocks": 1, "heads": 1, "history": 50, "negatives": 256}
_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--events", required=True, type=_FILE, help="Events of one kind, as in Beauty.")
@click.option("--peer", required=True, type=_FILE, help="The Python of the environment with RecTools.")
@click.option("--peer-epochs", default=1, show_default=True, help="Epochs of the peer; one takes minutes.")
@click.option("--every", default=5, show_default=True, help="The peer is tested after each so many epochs.")
@click.option("--out", type=_FILE, help="File for the result; it is printed in any case.")
def main(events: Path, peer: Path, peer_epochs: int, every: int, out: Path | None) -> None:
    """Print one JSON object: seconds per epoch and the figures, of both, on the same data."""
    with tempfile.TemporaryDirectory() as folder:
        ours = _ours(events, Path(folder) / "ours.json")
        theirs = _theirs(events, peer, peer_epochs, every, Path(folder) / "theirs.json")
    ratio = theirs["seconds_per_epoch"] / ours["training"]["seconds_per_epoch"]
    result = machine.describe("cpu") | {"size": _SIZE, "epoch_ratio": round(ratio, 1), "ours": ours, "peer": theirs}
    text = json.dumps(result, indent=1)
    if out is not None:
        out.write_text(text + "\n")
    click.echo(text)


def _ours(events: Path, report: Path) -> dict[str, Any]:
    options = [f"--set={name}={value}" for name, value in _SIZE.items()]
    command = ["-m", "workers.cli", "evaluate", "recommend", "--events", str(events), "--json", str(report)]
    subprocess.run([sys.executable, *command, *options], check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return {"figures": found["figures"], "training": found["training"]}


def _theirs(events: Path, peer: Path, epochs: int, every: int, report: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("rectools_sasrec.py")
    sizes = ["--dim", "64", "--blocks", "1", "--length", "50", "--negatives", "256"]
    command = [str(peer), str(script), "--events", str(events), "--epochs", str(epochs), "--every", str(every), *sizes]
    subprocess.run([*command, "--json", str(report)], check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return found


if __name__ == "__main__":
    main()
