"""Bring a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from storage import engine

_SCRIPTS = Path(__file__).parent / "migrations"
_FOLLOWED = ("items", "transitions")
_FORGET_FOREIGN_TRANSACTIONS = tuple(
    text(f"UPDATE {table} SET changed_xid = 0 WHERE changed_xid > CAST(CAST(pg_current_xact_id() AS text) AS bigint)")
    for table in _FOLLOWED
)


def upgrade(database_url: str) -> None:
    """Apply every migration that the database has not seen yet. Several processes may call this at once."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    url = engine.url_for(database_url, "psycopg").render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")
    _adopt(database_url)


def scripts() -> ScriptDirectory:
    """Return the migrations."""
    return ScriptDirectory(str(_SCRIPTS))


def _adopt(database_url: str) -> None:
    """Reset the transaction ids of a restored dump that are ahead of this server's."""
    database = create_engine(engine.url_for(database_url, "psycopg"), hide_parameters=True)
    with database.begin() as connection:
        for statement in _FORGET_FOREIGN_TRANSACTIONS:
            connection.execute(statement)
    database.dispose()
