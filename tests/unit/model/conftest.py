"""Strict JAX for every test of the models, and one small shop whose trained model they share."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from model.catalogue import Item
from model.recommend import config, events
from model.recommend.serving import serve
from model.recommend.training import train

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

CATEGORIES = ("shoes", "lamps", "books", "teas")


def shop_items(count: int = 40) -> list[Item]:
    """Items whose category is their number modulo four, with titles that name it."""
    return [
        Item(f"i{n:03}", f"{CATEGORIES[n % 4]} number {n}", category=CATEGORIES[n % 4], price=5.0 + n % 4)
        for n in range(count)
    ]


def shop_events(items: int = 40, users: int = 160, length: int = 8) -> events.Interactions:
    """A checkerboard: each user keeps to one category, with a mixture of kinds and hours between events."""
    random = np.random.default_rng(0)
    kinds = [config.KINDS.index(kind) for kind in ("view", "click", "purchase")]
    item_UxL = np.stack([random.permutation(np.arange(user % 4, items, 4))[:length] for user in range(users)])
    return events.Interactions(
        users_E=np.repeat(np.arange(users), length).astype(np.int32),
        items_E=item_UxL.reshape(-1).astype(np.int32),
        kinds_E=random.choice(kinds, users * length).astype(np.int32),
        at_E=1.7e9 + np.cumsum(random.exponential(3600.0, users * length)),
    )


@pytest.fixture(scope="session")
def shop():
    """The makers above, and the tiny config without diversity, whose scores are then plain products."""
    return SimpleNamespace(items=shop_items, events=shop_events, config=config.preset("tiny", epochs=15, diversity=0.0))


@pytest.fixture(scope="session")
def fitted(shop):
    return train.fit(shop.events(), shop.items(), shop.config, seed=0)


@pytest.fixture
def ranker(shop, fitted):
    """A ranker that holds the shop's forty items."""
    made = serve.Ranker(fitted.artifact)
    made.upsert(shop.items())
    return made
