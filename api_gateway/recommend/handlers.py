"""The routes of this capability, which need an API key if keys are set."""

from __future__ import annotations

from api_gateway.recommend import item_routes, popular_routes, routes

HANDLERS = (
    routes.for_user,
    routes.for_session,
    item_routes.similar,
    item_routes.bought_together,
    popular_routes.popular,
    popular_routes.new,
)
