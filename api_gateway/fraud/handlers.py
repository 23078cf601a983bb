"""The routes of this capability, which need an API key if keys are set."""

from __future__ import annotations

from api_gateway.fraud import review_routes, routes

HANDLERS = (
    routes.screen,
    routes.label,
    routes.one,
    review_routes.waiting,
    review_routes.take,
    review_routes.decide,
)
