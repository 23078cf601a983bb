"""The routes of this capability."""

from __future__ import annotations

from api_gateway.pricing import reading_routes, ruling_routes

HANDLERS = (
    reading_routes.price,
    reading_routes.proposals_,
    reading_routes.changes_,
    ruling_routes.approve,
    ruling_routes.reject,
    ruling_routes.rules,
    ruling_routes.put_rules,
    ruling_routes.drop_rules,
    ruling_routes.freeze,
    ruling_routes.unfreeze,
    ruling_routes.facts,
    ruling_routes.stop,
    ruling_routes.resume,
    ruling_routes.rollback,
)
