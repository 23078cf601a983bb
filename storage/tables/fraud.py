"""Orders, their labels, rule sets, decisions and reviews."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Double, Identity, Sequence, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

order_places = Sequence("order_places", metadata=metadata)

# Orders as numbers: `at` in unix seconds, no later than it was received; digests of its id and of its entities, 0 for
# missing ones. `place` is its position in the sequence of screened orders, 0 until it is screened; `odd` its amount /
# its customer's usual amount then. `fraud_at` is the unix second since when it is known here to be fraud; `label` the
# newest kind of label.
orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("tie", BigInteger, nullable=False),
    Column("customer", BigInteger, nullable=False),
    *(
        Column(name, BigInteger, nullable=False, server_default=text("0"))
        for name in ("terminal", "payment", "device", "ip", "address", "country", "email", "phone")
    ),
    Column("cents", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False, server_default=text("0")),
    Column("odd", Double, nullable=False, server_default=text("1")),
    Column("fraud_at", BigInteger),
    Column("label", Text),
)

# Orders as they were taken: keys in one form, and what could not be read as `unread`.
order_messages = Table(
    "order_messages",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("message", JSONB, nullable=False),
    time("received_at", nullable=False, server_default=func.now()),
)

# Labels of orders; a label may come before its order.
order_labels = Table(
    "order_labels",
    metadata,
    Column("label_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    time("at", nullable=False),
    time("received_at", nullable=False, server_default=func.now()),
)

# One decision per order, never changed, with everything that it is based on: `facts` are the input of the rules,
# `features` that of the model. `by` is what decided; `why` says why the model was not used, NULL if it was.
screenings = Table(
    "screenings",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text),
    Column("probability", Double),
    Column("reasons", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("model_version", Text),
    Column("features", ARRAY(Double)),
    time("decided_at", nullable=False, server_default=func.now()),
)

# What happened to an order after its decision; rows are only added.
screening_log = Table(
    "screening_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("order_id", Text, nullable=False),
    time("at", nullable=False, server_default=func.now()),
    Column("what", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
)

# Orders that a person is to decide.
reviews = Table(
    "reviews",
    metadata,
    Column("order_id", Text, primary_key=True),
    time("opened_at", nullable=False, server_default=func.now()),
    Column("why", Text, nullable=False),
    Column("taken_by", Text),
    time("taken_at"),
    Column("decision", Text),
    Column("decided_by", Text),
    time("decided_at"),
    Column("note", Text),
)

# Rule sets by the hash of their content; the newest activation names the active one.
rule_sets = Table(
    "rule_sets",
    metadata,
    Column("version", Text, primary_key=True),
    Column("content", JSONB, nullable=False),
    time("created_at", nullable=False, server_default=func.now()),
)

rule_activations = Table(
    "rule_activations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("version", Text, nullable=False),
    time("at", nullable=False, server_default=func.now()),
)
