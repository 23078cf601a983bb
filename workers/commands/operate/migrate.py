"""`reshelf migrate`: bring the database to the newest schema."""

from __future__ import annotations

from pathlib import Path

import click

from workers import settings as configuration
from workers.keys import local
from workers.settings import SettingsError


@click.command()
@click.option("--local-key", is_flag=True, help="Also make the API key of RESHELF_HOME, if it has none.")
def migrate(local_key: bool) -> None:
    """Apply every migration that the database has not seen yet; safe to run at any time."""
    from sqlalchemy.exc import OperationalError

    from storage import migrate as migrations

    settings = configuration.load()
    if settings.database_url is None:
        raise SettingsError("no database: start `reshelf up`, or set RESHELF_DATABASE_URL")
    try:
        migrations.upgrade(settings.database_url)
        if local_key:
            _make_local_key(settings.database_url, settings.home)
    except OperationalError as error:
        raise click.ClickException(f"the database does not answer: {error.orig}") from error


def _make_local_key(database_url: str, home: Path) -> None:
    from storage import engine

    database = engine.connect(database_url, pool_size=1)
    with database.begin() as connection:
        local.ensure(connection, home)
    database.dispose()
