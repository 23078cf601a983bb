"""Alembic's entry point: one migration run at a time, in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from storage.tables import metadata

_LOCK = 0x7265736C  # any number, the same for every migrating process

engine = create_engine(context.config.get_main_option("sqlalchemy.url", ""), hide_parameters=True)
with engine.begin() as connection:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()
engine.dispose()
