"""Where a model version comes from, what the gate said of it, when it served, and marks that can wait for it."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE model_versions
            ADD COLUMN learnt_from timestamptz,
            ADD COLUMN how text NOT NULL DEFAULT 'full',
            ADD COLUMN digest text,
            ADD COLUMN code text,
            ADD COLUMN gate jsonb,
            ADD COLUMN forgotten_at timestamptz
        """
    )
    op.execute(
        """
        CREATE TABLE model_switches (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            capability text NOT NULL,
            version text NOT NULL REFERENCES model_versions,
            previous text,
            at timestamptz NOT NULL DEFAULT now(),
            why text NOT NULL
        )
        """
    )
    op.execute(
        "INSERT INTO model_switches (capability, version, at, why) "
        "SELECT capability, version, switched_at, 'published' FROM live_models"
    )
    op.execute("ALTER TABLE due ADD COLUMN later boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE due DROP COLUMN later")
    op.execute("DROP TABLE model_switches")
    op.execute(
        "ALTER TABLE model_versions DROP COLUMN learnt_from, DROP COLUMN how, DROP COLUMN digest, DROP COLUMN code, "
        "DROP COLUMN gate, DROP COLUMN forgotten_at"
    )
