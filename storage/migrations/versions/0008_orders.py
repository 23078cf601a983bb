"""Orders, what became known of them, and how each was screened for fraud."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

_STATEMENTS = (
    # Rows are updated once, when they are screened: room is left, so that no index has to follow.
    """
    CREATE TABLE orders (
        order_id text PRIMARY KEY,
        message jsonb NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        at bigint NOT NULL,
        tie bigint NOT NULL,
        customer bigint NOT NULL,
        terminal bigint NOT NULL DEFAULT 0,
        payment bigint NOT NULL DEFAULT 0,
        device bigint NOT NULL DEFAULT 0,
        ip bigint NOT NULL DEFAULT 0,
        address bigint NOT NULL DEFAULT 0,
        country bigint NOT NULL DEFAULT 0,
        cents bigint NOT NULL,
        place bigint NOT NULL DEFAULT 0,
        odd double precision NOT NULL DEFAULT 1,
        fraud_at bigint,
        label text
    ) WITH (fillfactor = 85)
    """,
    "CREATE SEQUENCE order_places",
    "CREATE INDEX orders_customer ON orders (customer, at, tie)",
    *(
        f"CREATE INDEX orders_{entity} ON orders ({entity}, at, tie) WHERE {entity} <> 0"
        for entity in ("terminal", "payment", "device", "ip", "address")
    ),
    "CREATE INDEX orders_frauds ON orders (customer, fraud_at) WHERE fraud_at IS NOT NULL",
    "CREATE INDEX orders_at ON orders (at)",
    """
    CREATE TABLE order_labels (
        label_id text PRIMARY KEY,
        order_id text NOT NULL,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX order_labels_order ON order_labels (order_id)",
    "CREATE INDEX order_labels_received ON order_labels (received_at)",
    """
    CREATE TABLE screenings (
        order_id text PRIMARY KEY,
        decision text NOT NULL,
        by text NOT NULL,
        why text,
        probability double precision,
        reasons jsonb NOT NULL,
        facts jsonb NOT NULL,
        rules_version text NOT NULL,
        model_version text,
        features double precision[],
        decided_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX screenings_decided ON screenings (decided_at)",
    """
    CREATE TABLE screening_log (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        order_id text NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        what text NOT NULL,
        detail jsonb NOT NULL
    )
    """,
    "CREATE INDEX screening_log_order ON screening_log (order_id, id)",
    """
    CREATE TABLE reviews (
        order_id text PRIMARY KEY,
        opened_at timestamptz NOT NULL DEFAULT now(),
        why text NOT NULL,
        taken_by text,
        taken_at timestamptz,
        decision text,
        decided_by text,
        decided_at timestamptz,
        note text
    )
    """,
    "CREATE INDEX reviews_open ON reviews (opened_at, order_id) WHERE decision IS NULL",
    """
    CREATE TABLE rule_sets (
        version text PRIMARY KEY,
        content jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE rule_activations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        version text NOT NULL,
        at timestamptz NOT NULL DEFAULT now()
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("rule_activations", "rule_sets", "reviews", "screening_log", "screenings", "order_labels", "orders"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP SEQUENCE order_places")
