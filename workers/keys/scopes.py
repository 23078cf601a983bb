"""Scopes: what an API key may do. Every route of the gateway has exactly one."""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal["events", "read", "catalogue", "orders", "review", "admin"]

EVENTS: Scope = "events"
"""Send behaviour events, and nothing else: the one scope that a browser may hold."""
READ: Scope = "read"
"""Read shelves, searches, experiments, the market and metrics."""
CATALOGUE: Scope = "catalogue"
"""Send catalogue changes."""
ORDERS: Scope = "orders"
"""Have orders screened, label them, and read decisions."""
REVIEW: Scope = "review"
"""List, take and decide fraud reviews."""
ADMIN: Scope = "admin"
"""Manage keys and bots, and read the audit trail. It includes every other scope."""

ALL: tuple[Scope, ...] = get_args(Scope)
