"""`reshelf market`: analyse the market now, and show which versions of the analysis there are."""

from __future__ import annotations

import click
import msgspec

from workers import settings as configuration
from workers.commands.database import connected


@click.group()
def market() -> None:
    """See what sells, what goes together, and who buys. See docs/howto/read-the-report.md."""


@market.command()
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")
def refresh(seed: int, as_json: bool) -> None:
    """Analyse the market now. Readers get the new version when it is done."""
    from storage.market import results
    from storage.market.versions import Runs
    from workers.market import refreshing
    from workers.registry.errors import NotEnoughData
    from workers.runtime import device

    settings = configuration.load()
    with connected(settings, Runs, NotEnoughData) as engine:
        device.prepare(settings.home)
        version = refreshing.refresh(engine, seed=seed)
        with engine.connect() as connection:
            rows = results.counts(connection, version)
    if as_json:
        click.echo(msgspec.json.encode({"version": version, "rows": rows}))
        return
    click.echo(f"version {version} is what /v1/market and `reshelf report` show now")
    for name, count in rows.items():
        click.echo(f"  {name:<11} {count:>8}")
