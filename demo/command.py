"""`reshelf demo`: run a simulated shop, or a real shop's file, from start to end."""

from __future__ import annotations

import io
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from demo import installation as own
from demo import report, run, screen
from demo.catalogue import MOST_ITEMS
from demo.gateway import GatewayError
from demo.report import Outcome
from demo.run import Size
from workers.supervisor.installation import Installation, InstallationError

if TYPE_CHECKING:
    from demo.real import RealOutcome

WIDTH = 110


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long the shop is open.")
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A real shop's file.")
@click.option("--customers", default=600, show_default=True, type=click.IntRange(20, 9_999))
@click.option("--items", default=1500, show_default=True, type=click.IntRange(100, MOST_ITEMS))
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same shop and customers.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new or empty folder to keep everything in; default: a temporary one, deleted at the end.",
)
@click.option("--keep", is_flag=True, help="Leave everything running at the end.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Save the final tables as a picture.")
def demo(
    seconds: float,
    data: Path | None,
    customers: int,
    items: int,
    seed: int,
    home: Path | None,
    keep: bool,
    svg: Path | None,
) -> None:
    """Run a simulated shop on reshelf: start it, train it, open the shop, and stop it again.

    With --data the UCI Online Retail file is used instead of the simulated shop. Servers that you already run are never
    used. Exit status: 0 if everything worked.
    """
    started = time.monotonic()
    console = _console()
    size = Size(customers=customers, items=items, seconds=seconds, seed=seed)
    outcome: Outcome | RealOutcome
    with _installed(home, console, keep=keep) as installation:
        if data is None:
            outcome = run.play(installation, size, console, home)
        else:
            from demo import real  # imports JAX, which the simulated shop does not need

            outcome = real.play(installation, data, seconds, console)
        if keep:
            outcome.places = places(installation)
    outcome.seconds = time.monotonic() - started
    _show(console, outcome)
    if svg is not None:
        _save(svg, outcome)
    if outcome.problems():
        raise SystemExit(1)


def places(installation: Installation) -> dict[str, str]:
    """Return the URLs of what keeps running, and the command to stop it."""
    return {
        "gateway": f"{installation.gateway_url}/schema",
        "Flower": installation.flower_url,
        "logs": str(installation.home / "logs"),
        "stop it": f"RESHELF_HOME={installation.home} reshelf down",
    }


@contextmanager
def _installed(home: Path | None, console: Console, *, keep: bool) -> Iterator[Installation]:
    """Yield an installation that is stopped at the end, whatever happens; a temporary folder is deleted."""
    if home is not None and home.exists() and any(home.iterdir()):
        raise click.ClickException(f"{home} is not empty: the demo needs a home folder of its own")
    _interrupt_on_signals()
    installation = own.in_folder(home or Path(tempfile.mkdtemp(prefix="reshelf-demo-")))
    finished = False
    try:
        yield installation
        finished = True
    except (InstallationError, GatewayError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        if not (keep and finished):
            _stop(installation, console)
            if home is None:
                shutil.rmtree(installation.home, ignore_errors=True)


def _stop(installation: Installation, console: Console) -> None:
    with screen.step(console, "stopped everything"):
        installation.stop()


def _interrupt_on_signals() -> None:
    """Handle the signals that end a process like Ctrl-C, so that nothing keeps running."""
    # A command that a shell runs in the background ignores Ctrl-C, and would ignore the other signals too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def _console() -> Console:
    console = Console(highlight=False)
    # A log has no width, and the default of 80 columns would break every title.
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _show(console: Console, outcome: Outcome | RealOutcome) -> None:
    if isinstance(outcome, Outcome):
        report.show(console, outcome)
    else:
        from demo import portraits

        portraits.show(console, outcome)


def _save(path: Path, outcome: Outcome | RealOutcome) -> None:
    recorder = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    _show(recorder, outcome)
    path.write_text(_without_remote_fonts(recorder.export_svg(title="reshelf demo")), encoding="utf-8")


def _without_remote_fonts(picture: str) -> str:
    """Return the picture with the viewer's own monospace font, so that it loads nothing from other servers."""
    return re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", picture, flags=re.DOTALL)
