"""API keys of the gateway, how much each is used, and an audit trail that can only grow."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

_STATEMENTS = (
    """
    CREATE TABLE api_keys (
        key_id text PRIMARY KEY,
        name text NOT NULL,
        owner text NOT NULL,
        scopes text[] NOT NULL,
        digest bytea NOT NULL UNIQUE,
        rate double precision,
        daily bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX api_keys_name ON api_keys (name)",
    "CREATE TABLE api_key_usage (name text, day date, requests bigint NOT NULL, PRIMARY KEY (name, day))",
    """
    CREATE TABLE audit_log (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        actor text NOT NULL,
        key_id text,
        via text NOT NULL,
        action text NOT NULL,
        subject text NOT NULL,
        detail jsonb NOT NULL
    )
    """,
    # What is no address of the web could be run by a page that shows it; such changes are refused from now on.
    "UPDATE items SET image_url = NULL WHERE image_url IS NOT NULL AND image_url !~* '^https?://'",
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% can only be added to', TG_TABLE_NAME; END $$
    """,
    """
    CREATE TRIGGER audit_log_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE audit_log")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP TABLE api_key_usage")
    op.execute("DROP TABLE api_keys")
