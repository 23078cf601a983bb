"""Orders as the shop sent them in a table of their own, beside the numbers by which pasts are read."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

_UP = (
    """
    CREATE TABLE order_messages (
        order_id text PRIMARY KEY,
        message jsonb NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "INSERT INTO order_messages SELECT order_id, message, received_at FROM orders",
    "ALTER TABLE orders DROP COLUMN message, DROP COLUMN received_at",
    # Dropped columns leave their bytes in every row until it is written anew: here in the order of customers.
    "CLUSTER orders USING orders_customer",
    "ALTER TABLE orders SET WITHOUT CLUSTER",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE orders ADD COLUMN message jsonb, ADD COLUMN received_at timestamptz DEFAULT now()")
    op.execute(
        "UPDATE orders SET message = m.message, received_at = m.received_at FROM order_messages AS m "
        "WHERE m.order_id = orders.order_id"
    )
    op.execute("ALTER TABLE orders ALTER COLUMN message SET NOT NULL, ALTER COLUMN received_at SET NOT NULL")
    op.execute("DROP TABLE order_messages")
