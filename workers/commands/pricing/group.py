"""`reshelf pricing`: prices that follow demand."""

from __future__ import annotations

import click

from workers.commands.pricing import proposals
from workers.commands.pricing.simulate import simulate
from workers.commands.pricing.value import value


@click.group()
def pricing() -> None:
    """Prices that follow demand."""


for _command in (simulate, value, *proposals.COMMANDS):
    pricing.add_command(_command)
