"""Dynamic pricing: rules, what is known of items, proposals, every change of a price, and what is still to be told."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"

_STATEMENTS = (
    """
    CREATE TABLE price_rules (
        scope text, name text, rules jsonb NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),
        updated_by text NOT NULL, PRIMARY KEY (scope, name)
    )
    """,
    """
    CREATE TABLE price_stop (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), stopped boolean NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(), changed_by text NOT NULL
    )
    """,
    "INSERT INTO price_stop (stopped, changed_by) VALUES (false, 'migration')",
    """
    CREATE TABLE price_facts (
        item_id text PRIMARY KEY, cost float8, competitor_price float8, updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE price_proposals (
        proposal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        item_id text NOT NULL,
        price float8 NOT NULL,
        proposed float8 NOT NULL,
        currency text,
        objective text NOT NULL,
        expects jsonb NOT NULL,
        reason text NOT NULL,
        bitten text[] NOT NULL,
        propensity float8 NOT NULL,
        policy text NOT NULL,
        state text NOT NULL,
        why text,
        created_at timestamptz NOT NULL DEFAULT now(),
        decided_at timestamptz,
        decided_by text
    )
    """,
    # One proposal of an item waits at a time.
    """
    CREATE UNIQUE INDEX price_proposals_open ON price_proposals (item_id) WHERE state IN ('proposed', 'approved')
    """,
    "CREATE INDEX price_proposals_state ON price_proposals (state, proposal_id)",
    """
    CREATE TABLE price_changes (
        change_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        item_id text NOT NULL,
        price_before float8 NOT NULL,
        price_after float8 NOT NULL,
        currency text,
        cause text NOT NULL,
        proposal_id bigint,
        changed_by text NOT NULL
    )
    """,
    "CREATE INDEX price_changes_item ON price_changes (item_id, change_no)",
    "CREATE INDEX price_changes_at ON price_changes (at)",
    """
    CREATE TRIGGER price_changes_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON price_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    "CREATE TABLE price_outbox (change_no bigint PRIMARY KEY, tries integer NOT NULL DEFAULT 0, error text)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for name in ("outbox", "changes", "proposals", "facts", "stop", "rules"):
        op.execute(f"DROP TABLE price_{name}")
