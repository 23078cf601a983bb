"""The history item that moved each item of a ranking most."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE rankings ADD COLUMN because_item_ids text[], ADD COLUMN because_kinds text[]")


def downgrade() -> None:
    op.execute("ALTER TABLE rankings DROP COLUMN because_item_ids, DROP COLUMN because_kinds")
