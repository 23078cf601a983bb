"""Row by row: the same as all rows at once, and no more than is asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from model.recommend.serving import rowwise

ROWS = 8


def world(rows=ROWS, seed=0):
    random = np.random.default_rng(seed)
    x_BxL = random.normal(size=(rows, 5)).astype(np.float32)
    return {"x": x_BxL, "pair": (random.integers(0, 5, rows).astype(np.int32), random.random(rows) < 0.5)}


def compute(left, part):
    """One of each row's values, its sum, and a flag, of all types and ranks."""
    at_S, flag_S = part["pair"]
    chosen_S = jnp.take_along_axis(part["x"], at_S[:, None], 1)[:, 0]
    return {"chosen": chosen_S, "sums": (part["x"].sum(1, keepdims=True), part["x"] * 2), "flag": ~flag_S, "at": at_S}


@pytest.mark.parametrize("block", [1, 2, 4, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 7, 8, 11])
def test_the_rows_asked_for_are_those_of_all_at_once(count, block):
    made = world()
    asked = min(count, ROWS)
    apply = jax.jit(lambda arrays, count: rowwise.apply(compute, arrays, count, block=block))
    found, whole = apply(made, np.int32(count)), compute(None, made)
    assert jax.tree.structure(found) == jax.tree.structure(whole)
    for some, every in zip(jax.tree.leaves(found), jax.tree.leaves(whole), strict=True):
        assert (some.shape, some.dtype) == (every.shape, every.dtype)
        np.testing.assert_array_equal(some[:asked], every[:asked])


def test_one_program_serves_every_count():
    traced = []

    @jax.jit
    def apply(arrays, count):
        traced.append(count)
        return rowwise.apply(compute, arrays, count)

    for count in range(ROWS + 1):
        apply(world(seed=count), np.int32(count))
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("count", "block", "left"),
    [
        (8, 1, [8, 7, 6, 5, 4, 3, 2, 1]),
        (3, 1, [3, 2, 1, 0, 0, 0, 0, 0]),  # nothing is made of the others
        (3, 2, [3, 3, 1, 1, 0, 0, 0, 0]),
        (6, 4, [6, 6, 6, 6, 2, 2, 2, 2]),
        (0, 4, [0] * 8),
    ],
)
def test_it_ends_after_the_last_row_and_says_how_many_are_left(count, block, left):
    def say(left, part):
        return jnp.broadcast_to(left, part.shape)

    found = jax.jit(lambda x, count: rowwise.apply(say, x, count, block=block))(
        np.zeros(ROWS, np.int32), np.int32(count)
    )
    assert found.tolist() == left


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_a_block_may_go_row_by_row_in_its_turn(count):
    """As the search does: products for four users together, and the rest for each of them."""

    def each(_, part):
        return part["x"].sum(1)

    def some(left, part):
        return rowwise.apply(each, {"x": part["x"] + 1.0}, left)

    made = world()
    found = jax.jit(lambda arrays, count: rowwise.apply(some, arrays, count, block=4))(made, np.int32(count))
    np.testing.assert_array_equal(found[:count], (made["x"] + 1.0).sum(1)[:count])
    assert not found[count:].any()


def test_a_rows_bits_do_not_depend_on_how_many_came_with_it(full_compilation):
    """A matrix product of one row and of thirty-two round differently; a loop over rows makes the same one."""
    random = np.random.default_rng(1)
    weights = random.normal(size=(64, 300)).astype(np.float32)

    def product(_, part):
        return jax.nn.softmax(part @ weights, -1)

    apply = jax.jit(lambda x, count: rowwise.apply(product, x, count))
    x = random.normal(size=(32, 64)).astype(np.float32)
    whole = np.asarray(apply(x, np.int32(32)))
    for n in range(32):
        alone = np.zeros_like(x)
        alone[0] = x[n]
        assert np.asarray(apply(alone, np.int32(1)))[0].tobytes() == whole[n].tobytes()
