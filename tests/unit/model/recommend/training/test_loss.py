import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.recommend.training import loss


def full_softmax(users, items, targets, among, **options):
    return loss.cross_entropy(loss.full_logits(users, items, among, **options), targets)


def test_full_softmax_of_two_items_by_hand():
    users, items = jnp.asarray([[1.0]]), jnp.asarray([[2.0], [0.0]])
    expected = np.log(np.exp(2) + 1) - 2
    assert full_softmax(users, items, jnp.asarray([0]), jnp.ones(2, bool))[0] == pytest.approx(expected, rel=1e-5)


def test_sampling_every_other_item_once_is_the_full_softmax():
    users, items = jax.random.normal(jax.random.key(0), (4, 3)), jax.random.normal(jax.random.key(1), (6, 3))
    targets = jnp.asarray([0, 5, 2, 2])
    logits = loss.sampled_logits(users, items[targets], targets, items, jnp.arange(6), jnp.zeros(6))
    sampled = loss.cross_entropy(logits, jnp.zeros(4, int))
    np.testing.assert_allclose(sampled, full_softmax(users, items, targets, jnp.ones(len(items), bool)), rtol=1e-5)


def test_cells_without_weight_do_not_count():
    assert loss.weighted_mean(jnp.asarray([1.0, 9.0]), jnp.asarray([2.0, 0.0])) == 1.0
    assert loss.weighted_mean(jnp.asarray([1.0]), jnp.asarray([0.0])) == 0.0


def test_an_item_outside_the_choice_is_no_rival():
    users, items = jnp.asarray([[1.0]]), jnp.asarray([[2.0], [0.0], [9.0]])
    among = jnp.asarray([True, True, False])
    assert full_softmax(users, items, jnp.asarray([0]), among)[0] == pytest.approx(np.log(np.exp(2) + 1) - 2, rel=1e-5)


def test_bfloat16_products_are_near_the_float32_ones():
    users, items = jax.random.normal(jax.random.key(0), (4, 64)), jax.random.normal(jax.random.key(1), (6, 64))
    targets, among = jnp.asarray([0, 5, 2, 2]), jnp.ones(6, bool)
    exact = full_softmax(users, items, targets, among)
    rounded = full_softmax(users, items, targets, among, bfloat16=True)
    assert rounded.dtype == jnp.float32
    np.testing.assert_allclose(rounded, exact, atol=0.2)
    assert not np.array_equal(rounded, exact)


def test_a_student_that_says_what_its_teacher_says_diverges_by_nothing():
    logits = jnp.asarray([[2.0, -jnp.inf, 0.5], [0.0, 1.0, 3.0]])
    np.testing.assert_allclose(loss.distillation(logits, logits + 7.0), 0.0, atol=1e-6)


def test_distillation_by_hand_and_its_gradient_is_finite_beside_what_is_closed():
    teacher, student = jnp.asarray([[np.log(3.0), 0.0, -jnp.inf]]), jnp.asarray([[0.0, 0.0, -jnp.inf]])
    expected = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    assert loss.distillation(teacher, student)[0] == pytest.approx(expected, rel=1e-5)
    gradient = jax.grad(lambda logits: loss.distillation(teacher, logits).sum())(student)
    np.testing.assert_allclose(gradient, [[0.5 - 0.75, 0.5 - 0.25, 0.0]], atol=1e-6)
