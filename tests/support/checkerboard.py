"""A small shop that every recommender must solve: whoever likes a category likes all of it, and nothing else."""

from __future__ import annotations

import numpy as np

from model.catalogue import Item
from model.recommend import config
from model.recommend.events import Interactions

CATEGORIES = ("shoes", "lamps", "books", "teas")


def items(count: int = 40) -> list[Item]:
    """Items whose category is their number modulo four, with titles that name it."""
    return [
        Item(f"i{n:03}", f"{CATEGORIES[n % 4]} number {n}", category=CATEGORIES[n % 4], price=5.0 + n % 4)
        for n in range(count)
    ]


def events(item_count: int = 40, users: int = 160, length: int = 8) -> Interactions:
    """A checkerboard: each user keeps to one category, with a mixture of kinds and hours between events."""
    random = np.random.default_rng(0)
    kinds = [config.KINDS.index(kind) for kind in ("view", "click", "purchase")]
    item_UxL = np.stack([random.permutation(np.arange(user % 4, item_count, 4))[:length] for user in range(users)])
    return Interactions(
        users_E=np.repeat(np.arange(users), length).astype(np.int32),
        items_E=item_UxL.reshape(-1).astype(np.int32),
        kinds_E=random.choice(kinds, users * length).astype(np.int32),
        at_E=1.7e9 + np.cumsum(random.exponential(3600.0, users * length)),
    )
