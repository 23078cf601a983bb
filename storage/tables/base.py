"""What the tables of all capabilities share."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, MetaData

metadata = MetaData()


def time(name: str, **options: object) -> Column[object]:
    """Return a column of times, which Postgres stores in UTC."""
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]  # options of Column
