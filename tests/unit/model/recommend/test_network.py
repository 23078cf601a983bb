"""Every kind of block: causal, blind to neighbours in its row, and able to learn the checkerboard."""

import jax
import numpy as np
import pytest

from model.errors import ConfigError
from model.recommend import config, network
from model.recommend.training import train


def encode(made, vectors, segments, at=None):
    params = network.initial(made, 10, seed=1)
    # Biases start at nothing; give them something to do.
    params = {n: v + 0.1 * jax.random.normal(jax.random.key(2), v.shape) for n, v in params.items()}
    kinds = np.where(np.diff(segments, prepend=-1) != 0, -1, 1).astype(np.int32)
    seconds = np.broadcast_to(np.arange(vectors.shape[1], dtype=np.float32) * 60, kinds.shape)
    return np.asarray(network.bind(made, params).histories(vectors, kinds, seconds, segments, at_B=at))


@pytest.mark.parametrize("block", config.BLOCK_KINDS)
def test_an_event_sees_only_what_came_before_it_in_its_own_history(block):
    made = config.preset("tiny", block=block, blocks=2)
    vectors = np.random.default_rng(0).normal(size=(1, 12, made.dim)).astype(np.float32)
    segments = np.array([[1] * 5 + [2] * 7], np.int32)
    before = encode(made, vectors, segments)
    vectors[0, 8] += 1.0
    changed = np.abs(encode(made, vectors, segments) - before).max((0, 2)) > 1e-6
    assert changed.tolist() == [False] * 8 + [True] * 4


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("block", config.BLOCK_KINDS)
def test_an_event_that_asks_alone_is_answered_as_among_all(block, blocks):
    made = config.preset("tiny", block=block, blocks=blocks)
    vectors = np.random.default_rng(0).normal(size=(12, 12, made.dim)).astype(np.float32)
    segments = np.tile(np.array([[1] * 5 + [2] * 7], np.int32), (12, 1))
    at = np.arange(12, dtype=np.int32)  # every column: starts of histories, their ends, and what is between
    whole, alone = encode(made, vectors, segments), encode(made, vectors, segments, at)
    assert alone.shape == (12, 1, made.dim)
    np.testing.assert_allclose(alone[:, 0], whole[at, at], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("block", config.BLOCK_KINDS)
def test_every_block_solves_the_checkerboard(shop, block):
    fitted = train.fit(shop.events(), shop.items(), config.preset("tiny", block=block, epochs=15))
    assert fitted.metrics["model"]["hit_rate@10"] == 1.0
    assert fitted.metrics["model"]["ndcg@10"] > 1.2 * fitted.metrics["popularity"]["ndcg@10"]


def test_an_unknown_block_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'hstu'"):
        config.preset("tiny", block="hst")
