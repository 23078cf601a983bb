import jax.numpy as jnp
import numpy as np

from model.recommend.serving import topk


def test_two_stages_find_the_same_as_sorting():
    scores = np.random.default_rng(0).normal(size=(3, 32_768)).astype(np.float32)
    values, columns = topk.top_k(jnp.asarray(scores), 50)
    np.testing.assert_array_equal(columns, np.argsort(-scores, 1)[:, :50])
    np.testing.assert_array_equal(values, np.take_along_axis(scores, np.asarray(columns), 1))


def test_diversity_charges_repeats_of_a_category_only():
    scores = jnp.asarray([[4.0, 3.0, 2.0, 1.0, -jnp.inf]])
    categories = jnp.asarray([[7, 7, 0, 7, 7]])
    spread = np.sqrt(1.25)
    np.testing.assert_allclose(
        topk.diversified(scores, categories, strength=0.5)[0],
        [4.0, 3.0 - 0.5 * spread, 2.0, 1.0 - 0.5 * spread * np.log2(3), -np.inf],
        rtol=1e-6,
    )
