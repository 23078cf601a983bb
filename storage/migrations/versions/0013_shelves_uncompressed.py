"""The long columns of shelves are kept as they are: ids and scores hardly compress, and to try takes its time."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

_LONG = ("item_ids", "scores", "item_nos")


def upgrade() -> None:
    for column in _LONG:
        op.execute(f"ALTER TABLE rankings ALTER {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    for column in _LONG:
        op.execute(f"ALTER TABLE rankings ALTER {column} SET STORAGE EXTENDED")
