"""Experiments, and the health of the versions that they compare."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

# Experiments. `arms` is an array of {name, treatment, share}, the control first.
experiments = Table(
    "experiments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("salt", Text, nullable=False),
    Column("surface", Text, nullable=False),
    Column("arms", JSONB, nullable=False),
    Column("canary", Boolean, nullable=False),
    time("started_at", nullable=False, server_default=func.now()),
    time("stopped_at"),
    Column("stopped_because", Text),
)

# The health of each model version by minute: batches it was asked to rank, those that raised, and the total seconds.
version_health = Table(
    "version_health",
    metadata,
    Column("version", Text, primary_key=True),
    time("minute", primary_key=True),
    Column("batches", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
)
