"""Dynamic pricing: rules, what is known of items, proposals, changes of prices, and what is still to be told."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Double, Identity, Integer, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import metadata, time

# Guardrails, objective and approval, for `scope` shop, category, brand or item; `name` is empty for the shop.
price_rules = Table(
    "price_rules",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("rules", JSONB, nullable=False),
    time("updated_at", nullable=False, server_default=func.now()),
    Column("updated_by", Text, nullable=False),
)

# One row: whether all changes of prices are stopped.
price_stop = Table(
    "price_stop",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("stopped", Boolean, nullable=False),
    time("changed_at", nullable=False, server_default=func.now()),
    Column("changed_by", Text, nullable=False),
)

# `moved_at`: when a value last became another; a value that is sent again is none.
price_facts = Table(
    "price_facts",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("cost", Double),
    Column("competitor_price", Double),
    time("updated_at", nullable=False, server_default=func.now()),
    Column("promotion", Boolean),
    Column("stamps", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    time("moved_at", nullable=False, server_default=func.now()),
)

# From when on an item could be had, or not. A trigger on `items` writes it when that changes.
item_availability = Table(
    "item_availability",
    metadata,
    Column("item_id", Text, primary_key=True),
    time("at", primary_key=True, server_default=func.clock_timestamp()),
    Column("available", Boolean, nullable=False),
)

# What the policy chose at each look, the present price too, and what else it might have chosen: `shares` are the
# probabilities of `prices`, `units` what a week was expected to sell at each. `blocked` are the guardrails that left no
# other price; `automatic`: nobody had to approve it.
price_decisions = Table(
    "price_decisions",
    metadata,
    Column("decision_no", BigInteger, Identity(always=True), primary_key=True),
    time("at", nullable=False, server_default=func.now()),
    Column("item_id", Text, nullable=False),
    Column("price", Double, nullable=False),
    Column("chosen", Double, nullable=False),
    Column("currency", Text),
    Column("cost", Double),
    Column("propensity", Double, nullable=False),
    Column("prices", ARRAY(Double), nullable=False),
    Column("shares", ARRAY(Double), nullable=False),
    Column("units", ARRAY(Double), nullable=False),
    Column("policy", Text, nullable=False),
    Column("blocked", ARRAY(Text), nullable=False),
    Column("automatic", Boolean, nullable=False),
)

price_proposals = Table(
    "price_proposals",
    metadata,
    Column("proposal_id", BigInteger, Identity(always=True), primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("price", Double, nullable=False),
    Column("proposed", Double, nullable=False),
    Column("currency", Text),
    Column("objective", Text, nullable=False),
    Column("expects", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("bitten", ARRAY(Text), nullable=False),
    Column("propensity", Double, nullable=False),
    Column("policy", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text),
    time("created_at", nullable=False, server_default=func.now()),
    time("decided_at"),
    Column("decided_by", Text),
)

# Rows are only added: a trigger refuses the rest.
price_changes = Table(
    "price_changes",
    metadata,
    Column("change_no", BigInteger, Identity(always=True), primary_key=True),
    time("at", nullable=False, server_default=func.now()),
    Column("item_id", Text, nullable=False),
    Column("price_before", Double, nullable=False),
    Column("price_after", Double, nullable=False),
    Column("currency", Text),
    Column("cause", Text, nullable=False),
    Column("proposal_id", BigInteger),
    Column("changed_by", Text, nullable=False),
)

# Changes that the shop's backend has not been told yet.
price_outbox = Table(
    "price_outbox",
    metadata,
    Column("change_no", BigInteger, primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
)
