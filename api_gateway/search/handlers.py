"""The routes of this capability, which need an API key if keys are set."""

from __future__ import annotations

from api_gateway.search import routes

HANDLERS = (
    routes.search,
    routes.suggest,
)
