"""The `reshelf` command. A subcommand is imported when it is used, so `--help` imports nothing heavy."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import Any

import click

from workers.settings import SettingsError

EXIT_USAGE = 2


@dataclass(frozen=True)
class Entry:
    """The module of a command, its line in `--help`, and the extra that installs what it needs."""

    target: str
    help: str
    extra: str


COMMANDS = {
    "up": Entry("workers.commands.operate.up:up", "Start everything: servers, workers, gateway.", "all"),
    "down": Entry("workers.commands.operate.down:down", "Stop what `reshelf up` started.", "all"),
    "status": Entry("workers.commands.operate.status:status", "Show processes, backlog and live model.", "all"),
    "load": Entry("workers.commands.load:load", "Load a catalogue and its history from files.", "workers"),
    "train": Entry("workers.commands.train:train", "Train a model and publish it.", "workers"),
    "finetune": Entry("workers.commands.finetune:finetune", "Update the live model with new events.", "workers"),
    "models": Entry("workers.commands.models:models", "List, compare, promote and roll back models.", "workers"),
    "evaluate": Entry("workers.commands.evaluate:evaluate", "Measure a model on files, beside baselines.", "workers"),
    "fraud": Entry("workers.commands.fraud:fraud", "Rules, and what they decided of orders.", "workers"),
    "pricing": Entry("workers.commands.pricing.group:pricing", "Prices that follow demand.", "workers"),
    "experiment": Entry("workers.commands.experiment:experiment", "Compare arms of shoppers; try a canary.", "workers"),
    "actors": Entry("workers.commands.actors:actors", "List, flag and clear bad actors.", "workers"),
    "keys": Entry("workers.commands.operate.keys:keys", "Make, rotate and revoke API keys.", "workers"),
    "privacy": Entry("workers.commands.operate.privacy:privacy", "Export and erase what is kept of people.", "workers"),
    "market": Entry("workers.commands.market.analysing:market", "Analyse the market, now.", "workers"),
    "report": Entry(
        "workers.commands.market.reporting:report", "Write what sold and what is next, as HTML.", "workers"
    ),
    "dead-letters": Entry(
        "workers.commands.dead_letters:dead_letters", "Show what could not be taken, and send it again.", "workers"
    ),
    "demo": Entry("demo.command:demo", "Run a simulated shop against it.", "all"),
    "worker": Entry(
        "workers.commands.operate.worker:worker", "Run one worker: intake, recommend, fraud or train.", "workers"
    ),
    "beat": Entry("workers.commands.operate.beat:beat", "Run the scheduler of periodic tasks.", "workers"),
    "gateway": Entry("workers.commands.operate.gateway:gateway", "Serve rankings over HTTP.", "gateway"),
    "flower": Entry("workers.commands.operate.flower:flower", "Serve the Flower dashboard.", "monitor"),
    "migrate": Entry("workers.commands.operate.migrate:migrate", "Bring the database to the newest schema.", "storage"),
    "health": Entry("workers.commands.operate.health:health", "Exit 0 when one program is healthy.", "all"),
}
OURS = ("workers", "model", "storage", "api_gateway", "demo")


class LazyGroup(click.Group):
    """A command group that imports a command when it is used, and prints errors in one readable line."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].target.partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise _missing(error, name) from error
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, context: click.Context) -> Any:
        """Run the command; an invalid setting or a missing package ends it with one line."""
        try:
            return super().invoke(context)
        except SettingsError as error:
            click.echo(f"Error: {error}", err=True)
            context.exit(EXIT_USAGE)
        except ModuleNotFoundError as error:
            raise _missing(error, context.invoked_subcommand or "") from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="reshelf-server")
def main() -> None:
    """Re-rank a shop's shelves while its customers browse.

    Start with `reshelf up`, then `reshelf demo`. Settings are RESHELF_ variables: see docs/reference/settings.md.
    """
    # LightGBM's threads wait for each other in a busy loop. When other programs need the cores too, that takes most of
    # the time: the same trees took twenty times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _missing(error: ModuleNotFoundError, command: str) -> Exception:
    """Return the error for a missing module: ours is a bug and is raised again, another's belongs to an extra."""
    package = (error.name or "").partition(".")[0]
    if package in OURS or command not in COMMANDS:
        return error
    extra = COMMANDS[command].extra
    return click.ClickException(
        f"`reshelf {command}` needs the package {package}: pip install 'reshelf-server[{extra}]'"
    )


if __name__ == "__main__":
    # `python -m workers.cli` would otherwise call itself "python -m workers.cli" in its messages.
    sys.exit(main(prog_name="reshelf"))
