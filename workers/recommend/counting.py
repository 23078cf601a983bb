"""Counting: which transitions a refresh adds to those of the model, so that each event counts exactly once."""

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
    """Return the time up to which the shopper's events are counted; None: count nothing now.

    It is that of the existing shelf, if `live` counted it since it became live. Otherwise the counts were those of
    another model and were deleted with it, and it is the time up to which `live` was trained. `mark` is that of the
    current refresh.
    """
    if standing.mark > mark:  # a newer refresh was faster: it has counted, and its shelf stays
        return None
    counted = standing.counted_by == live.version and standing.generated_at >= live.switched_at
    return standing.through if counted and standing.through is not None else live.learnt_through


def new_pairs(
    touches: Sequence[Touch], through: datetime | None, gains: Mapping[str, float]
) -> dict[tuple[str, str], float]:
    """Return what the events after `through` add to the count of (item before, item after); nothing if it is None.

    As in training (`model.recommend.transitions.count`): each event whose kind has a gain follows the `WINDOW` events
    before it, and counts its gain divided by the distance.
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
