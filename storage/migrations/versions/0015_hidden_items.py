"""What a shopper bought or dismissed is found without reading all that they ever did."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("CREATE INDEX events_hidden ON events (shopper) INCLUDE (item_id) WHERE kind IN ('purchase', 'dismiss')")


def downgrade() -> None:
    op.execute("DROP INDEX events_hidden")
