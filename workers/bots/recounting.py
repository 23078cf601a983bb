"""Recounting: remove what flagged bots added to the transitions, and add it again when they are cleared."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from model.recommend import config as configs
from model.recommend.transitions import WINDOW
from storage import due
from storage.bots import actors
from storage.due import Claim
from storage.recommend import transitions
from storage.registry import models
from storage.registry.models import Live

# The first places of a shelf, which shoppers look at: two pages.
_LOOKED_AT = 40


def recount(engine: Engine, claims: Sequence[Claim]) -> None:
    """Count the transitions of the claimed shoppers again, with or without their events; mark due the shelves affected.

    All in one transaction that blocks other counting: the result is as if flagged shoppers had never come.
    """
    with engine.begin() as connection:
        models.locked(connection)
        live = models.live(connection)
        if live is not None:
            gains = configs.gains(configs.from_json(live.config))
            known = Live(live.version, live.switched_at, live.learnt_through)
            shoppers = [claim.key for claim in claims]
            changed = transitions.recount(connection, known, shoppers, gains, window=WINDOW)
            actors.mark_shown(connection, changed, first=_LOOKED_AT)
        due.clear(connection, due.ACTOR, claims)
