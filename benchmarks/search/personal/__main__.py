"""`python -m benchmarks.search.personal`: progress on stderr, one JSON object as the last line of stdout.

A customer wants one item that they have not met, more probably one with a high appeal to the hidden taste, and searches
for its kind of product. Its rank among the items that the customer has not met is compared between the order for
everybody and the customer's own, for several weights of the taste. A recommender, popularity and the customers'
histories know four weeks of visits; the wishes come after them. The weight is chosen on one seed, and reported on the
others.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Int

from benchmarks import figures, machine, progress
from benchmarks.search.personal import shop
from benchmarks.search.personal.shop import Shop
from model.search import config as configs
from model.search import training
from model.search.engine import Engine, Parts
from workers.search import tastes

_DEPTH = 200
_Z_95 = 1.96


def main() -> None:
    """Measure and print."""
    options = _options()
    result = {
        "benchmark": "search_personal",
        **machine.describe("cpu"),
        "items": options.items,
        "customers": options.customers,
        "encoder": options.encoder,
        "recommender": options.recommender,
        "affinity_weight": configs.preset().affinity_weight,
        "seeds": {str(seed): _of_seed(options, seed) for seed in options.seeds},
    }
    figures.tell(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search.personal", description=__doc__)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--customers", type=int, default=600)
    parser.add_argument("--wishes", type=int, default=1000)
    parser.add_argument("--recommender", action="store_true", help="train one, so that its vectors count, too")
    parser.add_argument("--epochs", type=int, help="of the recommender. Default: the preset's")
    parser.add_argument("--encoder", action="store_true", help="search by the encoder, too")
    parser.add_argument("--weights", type=float, nargs="*", default=[0.025, 0.05, 0.1, 0.2, 0.3])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _of_seed(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    made = shop.make(items=options.items, customers=options.customers, wishes=options.wishes, seed=seed)
    progress.say(f"seed {seed}: {len(made.touches)} events")
    vectors, recommender = shop.train(made, seed=seed, epochs=options.epochs) if options.recommender else ({}, {})
    parts = Parts(configs.preset())
    if options.encoder:
        parts = training.with_encoder(parts, made.items, seed=seed)
    engine = Engine(parts)
    engine.build(made.items, popularity=Counter(touch.item_id for _, touch in made.touches))
    without_W = _ranks(engine, made, {}, weight=0.0)
    by_weight = {
        f"{weight:g}": _compared(without_W, _ranks(engine, made, vectors, weight)) for weight in options.weights
    }
    for weight, found in by_weight.items():
        progress.say(f"seed {seed}, weight {weight}: {found}")
    return {
        "events": len(made.touches),
        "wishes": len(made.wishes),
        "recommender_ndcg@10": {name: round(found["ndcg@10"], 4) for name, found in recommender.items()},
        "everybody's": _figures(without_W),
        "the customer's, by weight": by_weight,
    }


def _ranks(engine: Engine, made: Shop, vectors: Mapping[str, np.ndarray], weight: float) -> Int[np.ndarray, " W"]:
    """Return the rank, from 1, of each wanted item among the items that its customer never met.

    It is one more than their number if the item is not among them.
    """
    engine.parts = replace(engine.parts, config=replace(engine.parts.config, affinity_weight=weight))
    ranks = []
    for wish in made.wishes:
        history, met = made.history(wish.customer_id), made.met(wish.customer_id)
        affinity = tastes.affinity(partial(tastes.stacked, vectors), history, engine.collection)
        found = engine.find(wish.query, k=_DEPTH, affinity=affinity)
        item_ids = [engine.collection.items[slot].item_id for slot in found.slots_K]
        item_ids = [item_id for item_id in item_ids if item_id not in met]
        ranks.append(item_ids.index(wish.item_id) + 1 if wish.item_id in item_ids else len(item_ids) + 1)
    return np.array(ranks)


def _figures(rank_W: Int[np.ndarray, " W"]) -> dict[str, float]:
    return {
        "mean_rank": round(float(rank_W.mean()), 2),
        "mrr": round(float((1 / rank_W).mean()), 4),
        "in_first_ten": round(float((rank_W <= 10).mean()), 4),
    }


def _compared(without_W: Int[np.ndarray, " W"], own_W: Int[np.ndarray, " W"]) -> dict[str, Any]:
    """Return the figures of the own order, and its gain: a lower rank is a gain, and intervals are of pairs."""
    return _figures(own_W) | {
        "ranks_gained": _interval(without_W - own_W),
        "mrr_gained": _interval(1 / own_W - 1 / without_W),
        "improved": round(float((own_W < without_W).mean()), 4),
        "worsened": round(float((own_W > without_W).mean()), 4),
    }


def _interval(gain_W: Sequence[float] | np.ndarray) -> dict[str, float]:
    mean, error = float(np.mean(gain_W)), float(np.std(gain_W, ddof=1) / np.sqrt(len(gain_W)))
    return {"mean": round(mean, 4), "low": round(mean - _Z_95 * error, 4), "high": round(mean + _Z_95 * error, 4)}


if __name__ == "__main__":
    main()
