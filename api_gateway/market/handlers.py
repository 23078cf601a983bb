"""The routes of this capability, which need an API key if keys are set."""

from __future__ import annotations

from api_gateway.market import routes

HANDLERS = (routes.overview, *routes.READING)
