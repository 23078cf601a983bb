"""`reshelf migrate`: bring the database to the newest schema."""

from __future__ import annotations

import click

from workers import settings as configuration
from workers.settings import SettingsError


@click.command()
def migrate() -> None:
    """Apply every migration that the database has not seen yet; safe to run at any time."""
    from sqlalchemy.exc import OperationalError

    from storage import migrate as migrations

    settings = configuration.load()
    if settings.database_url is None:
        raise SettingsError("no database: start `reshelf up`, or set RESHELF_DATABASE_URL")
    try:
        migrations.upgrade(settings.database_url)
    except OperationalError as error:
        raise click.ClickException(f"the database does not answer: {error.orig}") from error
