"""Rankings against held-out baskets, for catalogues of any size."""

import numpy as np

from model.recommend import config as configs
from model.recommend import items, network
from model.recommend.evaluation import evaluate


def test_many_items_are_embedded_by_tiles_to_the_same_vectors(shop, monkeypatch):
    config = configs.preset("tiny")
    features = items.features(shop.items(300), {f"i{n:03}": n + 1 for n in range(300)}, config)
    params = network.initial(config, 300, seed=0)
    at_once = evaluate.embed_all(params, features, config)
    monkeypatch.setattr(evaluate, "_EMBEDDED", 128)
    np.testing.assert_allclose(evaluate.embed_all(params, features, config), at_once, atol=1e-6)
