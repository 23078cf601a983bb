"""Pricing: every decision with its propensity, when items could be had, stamps of facts, an item's newest proposal."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"

_HAD = "({0}.deleted_at IS NULL AND coalesce({0}.stock, 1) > 0)"

_STATEMENTS = (
    """
    CREATE TABLE item_availability (
        item_id text, at timestamptz DEFAULT clock_timestamp(), available boolean NOT NULL, PRIMARY KEY (item_id, at)
    )
    """,
    f"""
    CREATE FUNCTION note_availability() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO item_availability (item_id, available) VALUES (NEW.item_id, {_HAD.format("NEW")})
        ON CONFLICT (item_id, at) DO UPDATE SET available = excluded.available;
        RETURN NULL;
    END $$
    """,
    # The conditions are looked at without a call: a change of a title or a price costs nothing.
    f"""
    CREATE TRIGGER items_availability AFTER UPDATE ON items FOR EACH ROW
    WHEN ({_HAD.format("OLD")} <> {_HAD.format("NEW")}) EXECUTE FUNCTION note_availability()
    """,
    f"""
    CREATE TRIGGER items_first_availability AFTER INSERT ON items FOR EACH ROW
    WHEN (NOT {_HAD.format("NEW")}) EXECUTE FUNCTION note_availability()
    """,
    f"""
    INSERT INTO item_availability (item_id, available)
    SELECT item_id, false FROM items AS i WHERE NOT {_HAD.format("i")}
    """,
    """
    CREATE TABLE price_decisions (
        decision_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        item_id text NOT NULL,
        price float8 NOT NULL,
        chosen float8 NOT NULL,
        currency text,
        cost float8,
        propensity float8 NOT NULL,
        prices float8[] NOT NULL,
        shares float8[] NOT NULL,
        units float8[] NOT NULL,
        policy text NOT NULL,
        blocked text[] NOT NULL,
        automatic boolean NOT NULL
    )
    """,
    "CREATE INDEX price_decisions_item ON price_decisions (item_id, at)",
    "CREATE INDEX price_decisions_at ON price_decisions (at)",
    "CREATE INDEX price_proposals_item ON price_proposals (item_id, proposal_id)",
    """
    ALTER TABLE price_facts ADD COLUMN promotion boolean, ADD COLUMN stamps jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN moved_at timestamptz NOT NULL DEFAULT now()
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE price_facts DROP COLUMN promotion, DROP COLUMN stamps, DROP COLUMN moved_at")
    op.execute("DROP INDEX price_proposals_item")
    op.execute("DROP TABLE price_decisions")
    op.execute("DROP TRIGGER items_availability ON items")
    op.execute("DROP TRIGGER items_first_availability ON items")
    op.execute("DROP FUNCTION note_availability()")
    op.execute("DROP TABLE item_availability")
