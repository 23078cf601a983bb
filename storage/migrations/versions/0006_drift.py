"""How far what the live version sees and says has moved, measurement by measurement."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE drift_measurements (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            version text NOT NULL REFERENCES model_versions,
            measured_at timestamptz NOT NULL DEFAULT now(),
            window_start timestamptz NOT NULL,
            window_end timestamptz NOT NULL,
            figures jsonb NOT NULL,
            reference jsonb,
            alert text
        )
        """
    )
    op.execute("CREATE INDEX drift_measurements_version ON drift_measurements (version, id)")


def downgrade() -> None:
    op.execute("DROP TABLE drift_measurements")
