"""`reshelf pricing`: prices that follow demand."""

from __future__ import annotations

import click

from workers.commands.pricing.simulate import simulate


@click.group()
def pricing() -> None:
    """Prices that follow demand."""


pricing.add_command(simulate)
