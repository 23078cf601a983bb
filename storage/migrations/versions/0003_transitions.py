"""What was counted since a model was trained, and until when it has learnt."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE transitions (
            from_item text NOT NULL,
            to_item text NOT NULL,
            count real NOT NULL,
            changed_xid bigint NOT NULL,
            PRIMARY KEY (from_item, to_item)
        )
        """
    )
    op.execute("CREATE INDEX transitions_changed ON transitions (changed_xid)")
    op.execute("ALTER TABLE model_versions ADD COLUMN learnt_through timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE model_versions DROP COLUMN learnt_through")
    op.execute("DROP TABLE transitions")
