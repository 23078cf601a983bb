"""`reshelf flower`: Celery's dashboard."""

from __future__ import annotations

import importlib
import os

import click

from workers import exposure
from workers import settings as configuration
from workers.runtime import priority


@click.command()
def flower() -> None:
    """Serve the Flower dashboard until it is told to stop."""
    # Without this, Celery would only say that it has no such command.
    importlib.import_module("flower.command")
    settings = configuration.load()
    exposure.check_flower(settings)
    exposure.check_secrets(settings)
    if settings.flower_basic_auth:
        # Not on the command line, where every user of the machine could read it.
        os.environ["FLOWER_BASIC_AUTH"] = settings.flower_basic_auth
    priority.stand_back(10)  # it gets an event of every task; requests go first
    from workers.app import app

    address = [f"--address={settings.flower_host}", f"--port={settings.flower_port}"]
    app.start(argv=["flower", *address, "--broker_api=", "--persistent=False"])
