"""Counting: which transitions a refresh adds to those of the model, so that an event counts once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from model.recommend.transitions import WINDOW
from storage.events.histories import Touch
from storage.recommend.homes import Standing
from storage.registry.models import Live


def counted_through(standing: Standing, live: Live, mark: int) -> datetime | None:
    """Return up to when the shopper's events are counted, as their standing shelf tells; None: count nothing now.

    A shelf that `live` counted since it serves tells it. Before that, the counts were those of another model, and were
    forgotten with it: `live` knows the events up to its training. `mark` is that of the refresh under way.
    """
    if standing.mark > mark:  # a newer refresh was quicker: it counted, and its shelf stays
        return None
    counted = standing.counted_by == live.version and standing.generated_at >= live.switched_at
    return standing.through if counted and standing.through is not None else live.learnt_through


def new_pairs(
    touches: Sequence[Touch], through: datetime | None, gains: Mapping[str, float]
) -> dict[tuple[str, str], float]:
    """Return what the events after `through` add to the count of (item before, item after); None: nothing.

    As in training (`model.recommend.transitions.count`): each event that gains follows the `WINDOW` ones before it,
    and counts its gain divided by the distance.
    """
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    if through is None:
        return pairs
    kept = [touch for touch in touches if gains.get(touch.kind, 0.0) > 0]
    first = bisect_right(kept, through.timestamp(), key=attrgetter("at"))
    for place, touch in enumerate(kept[first:], start=first):
        for distance, before in enumerate(reversed(kept[max(place - WINDOW, 0) : place]), start=1):
            pairs[before.item_id, touch.item_id] += gains[touch.kind] / distance
    return pairs
