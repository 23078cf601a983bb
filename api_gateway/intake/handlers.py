"""The routes of this capability, which need an API key if keys are set."""

from __future__ import annotations

from api_gateway.intake import catalogue_routes, event_routes

HANDLERS = (
    event_routes.take,
    catalogue_routes.take,
)
