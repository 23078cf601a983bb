"""Model versions, the live ones, the history of switches, and drift measurements."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

# `learnt_from` and `learnt_through` are the times of the first and the last event of the training data, NULL if not
# known; `gate` is the gate's verdict (`workers/registry/verdict.py`), NULL for versions from before there was a gate;
# `digest` the hash of its content; `forgotten_at` when its folder was deleted.
model_versions = Table(
    "model_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("capability", Text, nullable=False),
    Column("parent", Text),
    Column("config", JSONB, nullable=False),
    Column("metrics", JSONB, nullable=False),
    time("created_at", nullable=False, server_default=func.now()),
    time("learnt_through"),
    time("learnt_from"),
    Column("how", Text, nullable=False, server_default=text("'full'")),
    Column("digest", Text),
    Column("code", Text),
    Column("gate", JSONB(none_as_null=True)),
    time("forgotten_at"),
)

# The pointer: which version is live.
live_models = Table(
    "live_models",
    metadata,
    Column("capability", Text, primary_key=True),
    Column("version", Text, nullable=False),
    time("switched_at", nullable=False, server_default=func.now()),
)

# The history of the pointer: which version was live from when on, and why.
model_switches = Table(
    "model_switches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("capability", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("previous", Text),
    time("at", nullable=False, server_default=func.now()),
    Column("why", Text, nullable=False),
)

# Drift measurements of a version on a window of events (`workers/recommend/training/drift.py`). `reference` is what the
# version's later measurements are compared with, in its first one; NULL in the later ones. `alert` says what has moved
# too far.
drift_measurements = Table(
    "drift_measurements",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("version", Text, nullable=False),
    time("measured_at", nullable=False, server_default=func.now()),
    time("window_start", nullable=False),
    time("window_end", nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("reference", JSONB(none_as_null=True)),
    Column("alert", Text),
)
