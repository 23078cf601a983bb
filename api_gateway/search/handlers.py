"""The routes of this capability, which need a key where keys are set."""

from __future__ import annotations

from api_gateway.search import routes

HANDLERS = (
    routes.search,
    routes.suggest,
)
