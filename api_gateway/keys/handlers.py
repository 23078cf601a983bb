"""The routes of keys and of the audit trail."""

from __future__ import annotations

from api_gateway.keys import routes

HANDLERS = (
    routes.every,
    routes.make,
    routes.rotate,
    routes.revoke,
    routes.trail,
)
