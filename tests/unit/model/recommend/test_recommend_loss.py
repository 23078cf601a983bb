import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.recommend import loss


def test_full_softmax_of_two_items_by_hand():
    users, items = jnp.asarray([[1.0]]), jnp.asarray([[2.0], [0.0]])
    expected = np.log(np.exp(2) + 1) - 2
    assert loss.full_softmax(users, items, jnp.asarray([0]), jnp.ones(2, bool))[0] == pytest.approx(expected, rel=1e-5)


def test_sampling_every_other_item_once_is_the_full_softmax():
    users, items = jax.random.normal(jax.random.key(0), (4, 3)), jax.random.normal(jax.random.key(1), (6, 3))
    targets = jnp.asarray([0, 5, 2, 2])
    sampled = loss.sampled_softmax(users, items[targets], targets, items, jnp.arange(6), jnp.zeros(6))
    np.testing.assert_allclose(sampled, loss.full_softmax(users, items, targets, jnp.ones(len(items), bool)), rtol=1e-5)


def test_cells_without_weight_do_not_count():
    assert loss.weighted_mean(jnp.asarray([1.0, 9.0]), jnp.asarray([2.0, 0.0])) == 1.0
    assert loss.weighted_mean(jnp.asarray([1.0]), jnp.asarray([0.0])) == 0.0


def test_an_item_outside_the_choice_is_no_rival():
    users, items = jnp.asarray([[1.0]]), jnp.asarray([[2.0], [0.0], [9.0]])
    among = jnp.asarray([True, True, False])
    assert loss.full_softmax(users, items, jnp.asarray([0]), among)[0] == pytest.approx(
        np.log(np.exp(2) + 1) - 2, rel=1e-5
    )


def test_bfloat16_products_are_near_the_float32_ones():
    users, items = jax.random.normal(jax.random.key(0), (4, 64)), jax.random.normal(jax.random.key(1), (6, 64))
    targets, among = jnp.asarray([0, 5, 2, 2]), jnp.ones(6, bool)
    exact = loss.full_softmax(users, items, targets, among)
    rounded = loss.full_softmax(users, items, targets, among, bfloat16=True)
    assert rounded.dtype == jnp.float32
    np.testing.assert_allclose(rounded, exact, atol=0.2)
    assert not np.array_equal(rounded, exact)
