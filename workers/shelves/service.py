"""Refresh the counted shelves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine

from model.recommend import config
from storage import due
from storage.due import Claim
from storage.recommend import baskets, popularity, rankings
from storage.recommend.popularity import Decay
from storage.recommend.rankings import Ranking
from workers import settings as configuration
from workers.settings import Settings

_DAY = 86_400.0
_PARTNERS = 50


def refresh_popular(engine: Engine, settings: Settings) -> bool:
    """Rewrite the popular and segment shelves if anything came in; return whether it did."""
    decay = Decay(settings.popular_half_life_days * _DAY, settings.popular_window_days * _DAY)
    with engine.begin() as connection:
        return popularity.refresh(connection, kind_weights(settings), decay, depth=settings.ranking_depth)


def refresh_baskets(engine: Engine, claims: Sequence[Claim]) -> None:
    """Rewrite the bought-together shelves of the claimed items; those of items without a partner are deleted."""
    marks = {claim.key: claim.mark for claim in claims}
    with engine.begin() as connection:
        shelves = [
            Ranking(
                row.item_id,
                rankings.BOUGHT_TOGETHER,
                row.partners,
                row.scores,
                "baskets",
                None,
                marks[row.item_id],
            )
            for row in baskets.partners(connection, list(marks), depth=_PARTNERS)
        ]
        rankings.write(connection, shelves)
        for shelf in shelves:
            del marks[shelf.owner]
        rankings.remove(connection, rankings.BOUGHT_TOGETHER, marks)
        due.clear(connection, due.BASKET, claims)


def kind_weights(settings: Settings) -> Mapping[str, float]:
    """Return the weight of each event kind: the preset's, overridden by the configured ones."""
    chosen = config.preset(settings.preset, kind_weights=configuration.weights(settings))
    return dict(zip(config.KINDS, chosen.kind_weights, strict=True))
