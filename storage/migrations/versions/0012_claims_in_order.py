"""Claims walk an index in their own order: of what was never tried, and of what was."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("CREATE INDEX due_untried ON due (kind, later, since, key) WHERE attempts = 0")
    op.execute("CREATE INDEX due_tried ON due (kind, attempts, later, since, key) WHERE attempts > 0")
    op.execute("DROP INDEX due_since")


def downgrade() -> None:
    op.execute("CREATE INDEX due_since ON due (kind, since)")
    op.execute("DROP INDEX due_tried, due_untried")
