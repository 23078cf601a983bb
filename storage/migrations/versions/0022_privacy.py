"""Erasures, and digests of who was erased."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"

_STATEMENTS = (
    """
    CREATE TABLE erasures (
        receipt text PRIMARY KEY,
        digest bytea NOT NULL,
        sealed bytea,
        deleted jsonb NOT NULL DEFAULT '{}',
        asked_at timestamptz NOT NULL DEFAULT now(),
        done_at timestamptz
    )
    """,
    "CREATE INDEX erasures_open ON erasures (asked_at) WHERE done_at IS NULL",
    """
    CREATE TABLE erased_names (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        secret_id text NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE erased_names")
    op.execute("DROP TABLE erasures")
