import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.recommend.retrieval import faiss_index, quantised
from model.errors import ConfigError, DataError
from model.recommend.serving import retrieval

pytestmark = pytest.mark.usefixtures("full_compilation")

DIM = 16
K = 20
exact = jax.jit(retrieval.top_k, static_argnums=3)
quick = jax.jit(quantised.top_k, static_argnums=3)
rescored = jax.jit(retrieval.rescored, static_argnums=4)


def clustered(items: int, users: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Items around a hundred centres, and users near items."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(100, DIM))
    vectors = centres[random.integers(0, 100, items)] + 0.7 * random.normal(size=(items, DIM))
    wanted = vectors[random.integers(0, items, users)] + 0.5 * random.normal(size=(users, DIM))
    return vectors.astype(np.float32), wanted.astype(np.float32)


def by_sorting(users: np.ndarray, vectors: np.ndarray, open_: np.ndarray, k: int) -> np.ndarray:
    scores = np.where(open_, users.astype(np.float64) @ vectors.astype(np.float64).T, -np.inf)
    return np.argsort(-scores, 1, kind="stable")[:, :k]


def recall(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(np.asarray(found), true, strict=True)]))


@pytest.mark.parametrize("items", [500, 32_768, 40_960, 33_001, 36_870])
def test_exact_is_what_sorting_finds(items):
    vectors, users = clustered(items)
    open_ = np.random.default_rng(1).random(items) > 0.1
    scores, slots = exact(users, vectors, open_, K)
    np.testing.assert_array_equal(slots, by_sorting(users, vectors, open_, K))
    np.testing.assert_allclose(scores, np.take_along_axis(users @ vectors.T, np.asarray(slots), 1), rtol=1e-4)


def test_equal_scores_go_by_slot():
    random = np.random.default_rng(2)
    # Small integers: products are exact in any order, and most scores occur many times.
    vectors = random.integers(-1, 2, (32_768, DIM)).astype(np.float32)
    users = random.integers(-1, 2, (16, DIM)).astype(np.float32)
    open_ = random.random(32_768) > 0.5
    _, slots = exact(users, vectors, open_, 100)
    np.testing.assert_array_equal(slots, by_sorting(users, vectors, open_, 100))


@pytest.mark.parametrize("search", [exact, lambda u, v, o, k: quick(u, quantised.quantise(v), o, k)])
@pytest.mark.parametrize("items", [1024, 32_768, 33_001])
def test_where_too_few_are_open_the_rest_scores_nothing(search, items):
    vectors, users = clustered(items)
    open_ = np.zeros(items, bool)
    open_[[3, items // 2, items - 1]] = True
    scores, slots = map(np.asarray, search(users, jnp.asarray(vectors), open_, K))
    assert np.isneginf(scores[:, 3:]).all()
    assert np.isfinite(scores[:, :3]).all()
    assert (np.sort(slots[:, :3], 1) == [3, items // 2, items - 1]).all()
    assert slots.min() >= 0
    assert slots.max() < items


def test_a_user_gets_the_same_beside_others():
    vectors, users = clustered(40_960)
    open_ = np.ones(len(vectors), bool)
    small = quantised.quantise(jnp.asarray(vectors))
    alone = np.zeros_like(users)
    alone[0] = users[17]
    for search in (exact, lambda u, v, o, k: quick(u, small, o, k)):
        together = search(users, vectors, open_, K)
        by_itself = search(alone, vectors, open_, K)
        np.testing.assert_array_equal(together[0][17], by_itself[0][0])
        np.testing.assert_array_equal(together[1][17], by_itself[1][0])


def test_a_patched_row_changes_answers():
    vectors, users = clustered(40_960)
    open_ = np.ones(len(vectors), bool)
    vectors[40_000] = 3 * users[5]
    scores, slots = exact(users, vectors, open_, K)
    assert slots[5, 0] == 40_000
    assert scores[5, 0] == pytest.approx(float(3 * users[5] @ users[5]), rel=1e-5)


def test_quantised_vectors_are_near():
    vectors, _ = clustered(1000)
    vectors[7] = 0.0
    small = quantised.quantise(jnp.asarray(vectors))
    assert small.codes_CxD.dtype == jnp.int8
    error = np.abs(quantised.dequantise(small) - vectors)
    assert (error <= 0.501 * np.asarray(small.scales_C)[:, None]).all()
    np.testing.assert_array_equal(quantised.quantise(jnp.asarray(vectors[20:21])).codes_CxD, small.codes_CxD[20:21])


@pytest.mark.parametrize("items", [1024, 40_960, 33_001])
def test_int8_finds_nearly_the_same(items):
    vectors, users = clustered(items, users=64)
    open_ = np.random.default_rng(1).random(items) > 0.1
    true = by_sorting(users, vectors, open_, K)
    small = quantised.quantise(jnp.asarray(vectors))
    _, slots = quick(users, small, open_, K)
    assert recall(slots, true) > 0.96
    scores, slots = quick(users, small, open_, K, vectors_CxD=vectors)
    assert recall(slots, true) > 0.999
    np.testing.assert_allclose(scores, np.take_along_axis(users @ vectors.T, np.asarray(slots), 1), rtol=1e-4)


@pytest.fixture
def shelf():
    vectors, users = clustered(40_000)
    open_ = np.random.default_rng(1).random(len(vectors)) > 0.1
    return vectors, users, open_, faiss_index.Index(vectors, open_)


def found(made: faiss_index.Index, vectors, users, open_, k=K):
    slots = made.search(users, faiss_index.PER_RESULT * k)
    return rescored(users, vectors, open_, slots, k)


def test_the_index_finds_most(shelf):
    vectors, users, open_, made = shelf
    scores, slots = found(made, vectors, users, open_)
    assert len(made) == open_.sum()
    assert recall(slots, by_sorting(users, vectors, open_, K)) > 0.9
    assert open_[np.asarray(slots)].all()
    np.testing.assert_allclose(scores, np.take_along_axis(users @ vectors.T, np.asarray(slots), 1), rtol=1e-4)


def test_the_index_is_patched_closed_and_opened_again(shelf):
    vectors, users, open_, made = shelf
    slot = 40_100  # a slot that the matrix did not have
    vectors = np.concatenate([vectors, np.zeros((1000, DIM), np.float32)])
    open_ = np.concatenate([open_, np.zeros(1000, bool)])
    vectors[slot], open_[slot] = 2 * users[5], True
    made.patch(np.array([slot, slot]), np.stack([users[4], vectors[slot]]))
    assert len(made) == open_.sum()
    assert found(made, vectors, users, open_)[1][5, 0] == slot
    assert (made.search(users, 100) == slot).sum(1).max() == 1
    made.close(np.array([slot, slot, 40_999, 99_999]))
    assert not (made.search(users, 100) == slot).any()
    made.patch(np.array([slot]), vectors[[slot]])
    assert made.search(users, 100)[5, 0] == slot
    assert 0 < made.changed < 0.001


def test_a_closed_candidate_is_left_out_before_the_index_knows(shelf):
    vectors, users, open_, made = shelf
    best = np.asarray(found(made, vectors, users, open_)[1][:, 0])
    open_[best] = False
    assert not np.isin(found(made, vectors, users, open_)[1], best).any()


def test_candidates_do_not_depend_on_the_other_users(shelf):
    vectors, users, _, made = shelf
    alone = np.zeros_like(users)
    alone[0] = users[17]
    np.testing.assert_array_equal(made.search(users, 160)[17], made.search(alone, 160)[0])


def test_missing_candidates_score_nothing():
    vectors, users = clustered(100)
    candidates = np.full((len(users), 8), -1, np.int32)
    candidates[:, 2] = 9
    scores, slots = rescored(users, vectors, np.ones(100, bool), candidates, 3)
    assert (slots[:, 0] == 9).all()
    assert np.isneginf(scores[:, 1:]).all()


def test_an_index_says_what_it_needs(monkeypatch):
    vectors, _ = clustered(5000)
    with pytest.raises(ConfigError, match="4096 open items"):
        faiss_index.Index(vectors, np.zeros(len(vectors), bool))
    with pytest.raises(DataError, match="must agree"):
        faiss_index.Index(vectors, np.ones(7, bool))

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ConfigError, match="pip install faiss-cpu"):
        faiss_index.Index(vectors, np.ones(len(vectors), bool))
