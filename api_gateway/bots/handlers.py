"""The routes of this capability, which need a key where keys are set."""

from __future__ import annotations

from api_gateway.bots import routes

HANDLERS = (
    routes.every,
    routes.flag,
    routes.clear,
)
