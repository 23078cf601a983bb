"""Experiments, how each model version does, and by which version a shelf's events are counted."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    """
    CREATE TABLE experiments (
        name text PRIMARY KEY,
        salt text NOT NULL,
        surface text NOT NULL,
        arms jsonb NOT NULL,
        canary boolean NOT NULL,
        started_at timestamptz NOT NULL DEFAULT now(),
        stopped_at timestamptz,
        stopped_because text
    )
    """,
    # A shopper is in one arm: one experiment runs at a time.
    "CREATE UNIQUE INDEX experiments_running ON experiments ((true)) WHERE stopped_at IS NULL",
    """
    CREATE TABLE version_health (
        version text NOT NULL,
        minute timestamptz NOT NULL,
        batches bigint NOT NULL,
        failures bigint NOT NULL,
        seconds double precision NOT NULL,
        PRIMARY KEY (version, minute)
    )
    """,
    "ALTER TABLE rankings ADD COLUMN counted_by text",
    # Until now the version that ranked a shelf was the one that counted.
    "UPDATE rankings SET counted_by = model_version WHERE surface = 'home'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE rankings DROP COLUMN counted_by")
    op.execute("DROP TABLE version_health")
    op.execute("DROP TABLE experiments")
