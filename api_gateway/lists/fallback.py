"""Fallback chains: which shelf serves a list, and which fill it up. Pure decisions."""

from __future__ import annotations

from collections.abc import Sequence

from reshelf import events
from storage.recommend import rankings, shelves
from storage.recommend.shelves import Step
from storage.search import lookup

HOME, SIMILAR, BOUGHT_TOGETHER, POPULAR, NEW = "home", "similar", "bought_together", "popular", "new"

PERSONAL, SESSION, SEGMENT, POPULAR_IN_CATEGORY, NEWEST = (
    "personal",
    "session",
    "segment",
    "popular_in_category",
    "newest",
)
NONE = "none"
"""The source of an answer without items."""

SHELVES = (PERSONAL, SESSION, SEGMENT, SIMILAR, BOUGHT_TOGETHER, POPULAR_IN_CATEGORY, POPULAR, NEWEST)
SOURCES = (*SHELVES, lookup.MATCHED, lookup.ALIKE, lookup.LEXICAL)
"""Every source of an item, on shelves and in searches. Their order is part of the cursor: append, never reorder."""

_NEWEST = Step(NEWEST, shelves.NEWEST)

Trait = tuple[str, str]


def for_shopper(
    user_id: str | None, session_id: str | None, traits: Sequence[Trait], category: str | None
) -> list[Step]:
    """personal → session → segments (given, then stored) → popular → newest."""
    steps = []
    if user_id is not None:
        steps.append(Step(PERSONAL, rankings.HOME, events.shopper_key(user_id, None)))
    if session_id is not None:
        steps.append(Step(SESSION, rankings.HOME, events.shopper_key(None, session_id)))
    steps += [Step(SEGMENT, rankings.SEGMENT, rankings.trait_owner(*trait)) for trait in traits]
    return [*steps, Step(SEGMENT, rankings.SEGMENT), *for_popular(category)]


def for_similar(item_id: str, category: str | None) -> list[Step]:
    """similar → popular in the item's category → popular → newest."""
    in_category = [] if category is not None else [Step(POPULAR_IN_CATEGORY, rankings.POPULAR)]
    return [Step(SIMILAR, rankings.SIMILAR, item_id), *in_category, *for_popular(category)]


def for_bought_together(item_id: str, category: str | None) -> list[Step]:
    """bought together → similar → …"""
    return [Step(BOUGHT_TOGETHER, rankings.BOUGHT_TOGETHER, item_id), *for_similar(item_id, category)]


def for_popular(category: str | None) -> list[Step]:
    """popular (of the category that was asked for) → newest."""
    owner = rankings.EVERYONE if category is None else rankings.category_owner(category)
    return [Step(POPULAR, rankings.POPULAR, owner), *for_new()]


def for_new() -> list[Step]:
    """newest."""
    return [_NEWEST]
