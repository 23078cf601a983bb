"""A shopper's shelf holds the numbers of its items, so that its first page is read without looking each of them up."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE rankings ADD COLUMN item_nos bigint[], ADD COLUMN because_nos bigint[]")


def downgrade() -> None:
    op.execute("ALTER TABLE rankings DROP COLUMN item_nos, DROP COLUMN because_nos")
