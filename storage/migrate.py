"""Bring a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from storage import engine

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(database_url: str) -> None:
    """Apply every migration that `database_url` has not seen yet. Several processes may call this at once."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    url = engine.url_for(database_url, "psycopg").render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")
