"""Events, catalogue, due marks, rankings, model versions and dead letters."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    "CREATE TABLE event_ids (event_id text PRIMARY KEY, at timestamptz NOT NULL)",
    """
    CREATE TABLE events (
        event_id text NOT NULL,
        shopper text NOT NULL,
        kind text NOT NULL,
        item_id text,
        at timestamptz NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        value double precision,
        quantity double precision NOT NULL DEFAULT 1,
        session_id text,
        surface text,
        request_id text,
        query text,
        basket text GENERATED ALWAYS AS (CASE WHEN kind = 'purchase' THEN coalesce(session_id, shopper) END) STORED
    ) PARTITION BY RANGE (at)
    """,
    # A month's partition, made when its first event comes. Bounds are UTC.
    """
    CREATE FUNCTION ensure_event_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        partition text := 'events_' || to_char(month, 'YYYY_MM');
    BEGIN
        IF to_regclass(partition) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('ensure_event_partition'));
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
                partition, month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
        END IF;
    END $$
    """,
    "CREATE INDEX events_shopper ON events (shopper, at)",
    "CREATE INDEX events_item ON events (item_id, at)",
    "CREATE INDEX events_basket ON events (basket) WHERE basket IS NOT NULL",
    "CREATE INDEX events_at ON events (at)",
    "CREATE INDEX events_received ON events USING brin (received_at)",
    """
    CREATE TABLE shopper_traits (
        shopper text NOT NULL,
        name text NOT NULL,
        value text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (shopper, name)
    )
    """,
    "CREATE INDEX shopper_traits_value ON shopper_traits (name, value)",
    "CREATE TABLE change_ids (change_id text PRIMARY KEY, at timestamptz NOT NULL)",
    """
    CREATE TABLE items (
        item_id text PRIMARY KEY,
        item_no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        title text,
        text text NOT NULL DEFAULT '',
        category text,
        brand text,
        price double precision,
        currency text,
        stock bigint,
        attributes jsonb NOT NULL DEFAULT '{}',
        tags text[] NOT NULL DEFAULT '{}',
        image_url text,
        announced_at timestamptz,
        deleted_at timestamptz,
        stamps jsonb NOT NULL DEFAULT '{}',
        available boolean NOT NULL GENERATED ALWAYS AS
            (title IS NOT NULL AND deleted_at IS NULL AND coalesce(stock, 1) > 0) STORED,
        changed_xid bigint NOT NULL
    )
    """,
    "CREATE INDEX items_changed ON items (changed_xid)",
    "CREATE INDEX items_newest ON items (announced_at DESC, item_id) WHERE available",
    "CREATE INDEX items_category_newest ON items (category, announced_at DESC, item_id) WHERE available",
    """
    CREATE TABLE item_vectors (
        model_version text NOT NULL,
        item_id text NOT NULL,
        embedding vector NOT NULL,
        PRIMARY KEY (model_version, item_id)
    )
    """,
    "CREATE SEQUENCE due_marks",
    """
    CREATE TABLE due (
        kind text NOT NULL,
        key text NOT NULL,
        mark bigint NOT NULL DEFAULT nextval('due_marks'),
        since timestamptz NOT NULL DEFAULT now(),
        attempts integer NOT NULL DEFAULT 0,
        claimed_until timestamptz,
        PRIMARY KEY (kind, key)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX due_since ON due (kind, since)",
    """
    CREATE TABLE rankings (
        owner text NOT NULL,
        surface text NOT NULL,
        item_ids text[] NOT NULL,
        scores real[] NOT NULL,
        model_version text NOT NULL,
        generated_at timestamptz NOT NULL DEFAULT now(),
        through timestamptz,
        mark bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (owner, surface)
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE model_versions (
        version text PRIMARY KEY,
        capability text NOT NULL,
        parent text,
        config jsonb NOT NULL,
        metrics jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE live_models (
        capability text PRIMARY KEY,
        version text NOT NULL REFERENCES model_versions,
        switched_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE dead_letters (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        source text NOT NULL,
        key text,
        field text,
        error text NOT NULL,
        payload text,
        attempts integer NOT NULL DEFAULT 1,
        at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE intake_counts (
        writer text NOT NULL,
        door text NOT NULL,
        written bigint NOT NULL DEFAULT 0,
        duplicates bigint NOT NULL DEFAULT 0,
        rejected bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (writer, door)
    )
    """,
    "CREATE TABLE watermarks (name text PRIMARY KEY, value text NOT NULL)",
)

_TABLES = (
    "watermarks", "intake_counts", "dead_letters", "live_models", "model_versions", "rankings", "due",
    "item_vectors", "items", "change_ids", "shopper_traits", "events", "event_ids",
)  # fmt: skip


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION ensure_event_partition(date)")
    op.execute("DROP SEQUENCE due_marks")
