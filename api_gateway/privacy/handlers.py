"""The routes of this capability, which need an API key if keys are set."""

from __future__ import annotations

from api_gateway.privacy import routes

HANDLERS = (
    routes.erase,
    routes.receipt,
    routes.export,
)
