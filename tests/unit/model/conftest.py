"""Strict JAX for every test of the models, and one small shop whose trained model they share."""

from types import SimpleNamespace

import jax
import pytest

from model.recommend import config
from model.recommend.serving import serve
from model.recommend.training import train
from tests.support import checkerboard

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(scope="session")
def shop():
    """The makers of the checkerboard, and the tiny config without diversity, whose scores are then plain products."""
    return SimpleNamespace(
        items=checkerboard.items, events=checkerboard.events, config=config.preset("tiny", epochs=15, diversity=0.0)
    )


@pytest.fixture(scope="session")
def fitted(shop):
    return train.fit(shop.events(), shop.items(), shop.config, seed=0)


@pytest.fixture
def ranker(shop, fitted):
    """A ranker that holds the shop's forty items."""
    made = serve.Ranker(fitted.artifact)
    made.upsert(shop.items())
    return made
