"""Actors whose events do not count: who, why, and who said so."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE actors (
            shopper text PRIMARY KEY,
            flagged boolean NOT NULL,
            reasons text[] NOT NULL,
            detail text NOT NULL,
            flagged_by text NOT NULL,
            flagged_at timestamptz NOT NULL DEFAULT now(),
            cleared_by text,
            cleared_at timestamptz,
            spared_until timestamptz,
            changes bigint NOT NULL DEFAULT 1
        )
        """
    )
    op.execute("CREATE INDEX actors_flagged ON actors (flagged_at DESC, shopper) WHERE flagged")


def downgrade() -> None:
    op.execute("DROP TABLE actors")
    op.execute("DELETE FROM due WHERE kind = 'actor'")
