"""Shelves hold the numbers of their items, no texts, and are rewritten in place."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

# What names an item that the catalogue does not know was shown to nobody.
_NUMBERED = """
UPDATE rankings AS r SET (item_nos, scores) = (
    SELECT coalesce(array_agg(items.item_no ORDER BY n), '{}'), coalesce(array_agg(ranked.score ORDER BY n), '{}')
    FROM unnest(r.item_ids, r.scores) WITH ORDINALITY AS ranked(item_id, score, n) JOIN items USING (item_id)
), because_nos = (
    SELECT array_agg(items.item_no ORDER BY n)
    FROM unnest(r.because_item_ids) WITH ORDINALITY AS reason(item_id, n) LEFT JOIN items USING (item_id))
"""
_NAMED = """
UPDATE rankings AS r SET item_ids = (
    SELECT coalesce(array_agg(items.item_id ORDER BY n), '{}')
    FROM unnest(r.item_nos) WITH ORDINALITY AS ranked(item_no, n) JOIN items USING (item_no)
), because_item_ids = (
    SELECT array_agg(items.item_id ORDER BY n)
    FROM unnest(r.because_nos) WITH ORDINALITY AS reason(item_no, n) LEFT JOIN items USING (item_no))
"""


def upgrade() -> None:
    op.execute(_NUMBERED)
    op.execute("ALTER TABLE rankings DROP COLUMN item_ids, DROP COLUMN because_item_ids")
    op.execute("ALTER TABLE rankings ALTER item_nos TYPE integer[], ALTER because_nos TYPE integer[]")
    op.execute("ALTER TABLE rankings ALTER item_nos SET NOT NULL")
    # Half of a page is room for new versions of its rows: a rewrite stays on the page and touches no index.
    op.execute("ALTER TABLE rankings SET (fillfactor = 50)")
    op.execute("ALTER TABLE rankings ALTER item_nos SET STORAGE EXTERNAL, ALTER scores SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.execute("ALTER TABLE rankings SET (fillfactor = 80)")
    op.execute("ALTER TABLE rankings ADD COLUMN item_ids text[], ADD COLUMN because_item_ids text[]")
    op.execute(_NAMED)
    op.execute("ALTER TABLE rankings ALTER item_ids SET NOT NULL, ALTER item_ids SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE rankings ALTER item_nos DROP NOT NULL")
    op.execute("ALTER TABLE rankings ALTER item_nos TYPE bigint[], ALTER because_nos TYPE bigint[]")
