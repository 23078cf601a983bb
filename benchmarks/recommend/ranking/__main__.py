"""`python -m benchmarks.recommend.ranking`: progress on stderr, one JSON object as the last line of stdout.

Run it with JAX on a CPU or on an accelerator: the result says on which.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np

from benchmarks import figures, machine, progress, shop
from model import artifact
from model.artifact import Artifact
from model.catalogue import Item
from model.recommend import config as configs
from model.recommend.events import Interaction, Interactions, RankRequest
from model.recommend.serving.serve import Ranker
from model.recommend.training import train

_BATCHES = (1, 4, 8, 32, 128)
_SECONDS = 3.0


def main() -> None:
    """Measure and print."""
    options = _options()
    items = _items(options.items)
    ranker = Ranker(_trained(options, items), expected_items=len(items))
    ranker.upsert(items)
    ranker.warm()
    requests = _requests(options)
    compiled = ranker.compilations
    batches = [_measured(ranker, requests, size, options) for size in _BATCHES]
    after = ranker.compilations
    result = {
        "benchmark": "ranking",
        **machine.describe(jax.devices()[0].device_kind),
        "items": options.items,
        "history": options.history,
        "depth": options.depth,
        "preset": options.preset,
        "batches": batches,
        "limit": _limit(ranker, options),
        "compared": _compared(ranker, requests, options),
        "compilations_after_warm_up": after - compiled,
    }
    figures.tell(result, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.recommend.ranking", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--history", type=int, default=20, help="events of each shopper")
    parser.add_argument("--depth", type=int, default=120)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--minutes", type=float, default=0.3, help="of training")
    parser.add_argument("--explained", type=int, default=20)
    parser.add_argument("--model", type=Path, help="folder to keep the trained model in, and to take it from")
    parser.add_argument("--compare", type=int, default=0, help="rows to rank alone and in a batch, and to compare")
    parser.add_argument("--out", help="file to keep the result in")
    return parser.parse_args()


def _items(count: int) -> list[Item]:
    rows = (shop.item(n) for n in range(count))
    return [Item(r["item_id"], r["title"], category=r["category"], brand=r["brand"], price=r["price"]) for r in rows]


def _trained(options: argparse.Namespace, items: Sequence[Item]) -> Artifact:
    if options.model is not None and options.model.exists():
        return artifact.load(options.model)
    progress.say(f"training on {options.users} users with {options.history} events each")
    rows = list(shop.history(options.users, options.items, options.history, seed=7))
    events = Interactions(
        np.array([int(row["user_id"].removeprefix("user-")) for row in rows], np.int32),
        np.array([int(row["item_id"].removeprefix("item-")) for row in rows], np.int32),
        np.array([configs.KINDS.index(row["kind"]) for row in rows], np.int32),
        np.array([_seconds(row["at"]) for row in rows]),
    )
    fitted = train.fit(events, items, configs.preset(options.preset), seed=0, minutes=options.minutes)
    if options.model is not None:
        artifact.save(options.model, fitted.artifact)
    return fitted.artifact


def _requests(options: argparse.Namespace) -> list[RankRequest]:
    by_user: dict[str, list[Interaction]] = {}
    for row in shop.history(1_000, options.items, options.history, seed=8):
        touch = Interaction(row["item_id"], row["kind"], _seconds(row["at"]))
        by_user.setdefault(row["user_id"], []).append(touch)
    return [
        RankRequest(sorted(touches, key=lambda t: t.at), {t.item_id for t in touches if t.kind == "purchase"})
        for touches in by_user.values()
    ]


def _seconds(at: str) -> float:
    return shop.datetime.fromisoformat(at).timestamp()


def _measured(
    ranker: Ranker, requests: Sequence[RankRequest], size: int, options: argparse.Namespace
) -> dict[str, float]:
    draw = random.Random(size)

    def ranked() -> None:
        ranker.rank(draw.sample(requests, size), k=options.depth)

    def explained() -> None:
        asked = draw.sample(requests, size)
        ranker.rank(asked, k=options.depth, explain=options.explained)

    cpu, wall = _each(ranked, size)
    cpu_explained, _ = _each(explained, size)
    return {
        "shoppers": size,
        "cpu_ms_per_shopper": cpu,
        "wall_ms_per_shopper": wall,
        "cpu_ms_per_shopper_with_reasons": cpu_explained,
    }


def _each(work: Callable[[], None], size: int) -> tuple[float, float]:
    """Return the milliseconds of CPU and of wall time for each of `size`: medians of runs of a third of a second."""
    work()
    cpus, walls = [], []
    until = time.perf_counter() + _SECONDS
    while time.perf_counter() < until:
        calls, cpu, wall = 0, time.process_time(), time.perf_counter()
        while time.perf_counter() < wall + _SECONDS / 10:
            work()
            calls += 1
        cpus.append((time.process_time() - cpu) / calls / size)
        walls.append((time.perf_counter() - wall) / calls / size)
    return round(1000 * float(np.median(cpus)), 3), round(1000 * float(np.median(walls)), 3)


def _compared(ranker: Ranker, requests: Sequence[RankRequest], options: argparse.Namespace) -> dict[str, int]:
    """Return how many rows have other items, or other bits in a score, alone than in a batch."""
    draw = random.Random(1)
    rows, differ = 0, 0
    while rows < options.compare:
        # Histories of random length, so that no two of a thousand requests are the same.
        batch = [
            RankRequest(request.history[draw.randrange(len(request.history)) :], request.excluded)
            for request in draw.sample(requests, draw.randrange(2, 65))
        ]
        together = ranker.rank(batch, k=options.depth)
        differ += sum(
            ranker.rank([one], k=options.depth)[0] != other for one, other in zip(batch, together, strict=True)
        )
        rows += len(batch)
    return {"rows": rows, "differ": differ}


def _limit(ranker: Ranker, options: argparse.Namespace) -> dict[str, float]:
    """The time of one shopper's arithmetic at the speed at which this machine multiplies large matrices."""
    config, length = ranker.config, options.history + 1
    inner = 2 * config.dim
    weights = config.dim * (3 * config.dim + 3 * config.dim + 3 * inner)
    attention = 2 * length * config.dim
    flops = 2.0 * config.blocks * length * (weights + attention) + 2.0 * options.items * config.dim
    speed = _speed()
    return {"mflop": round(flops / 1e6, 2), "gflop_per_s": round(speed / 1e9, 1), "ms": round(1000 * flops / speed, 3)}


def _speed() -> float:
    """Return floating-point operations per second of CPU time."""
    size = 1024
    square = jax.numpy.ones((size, size), jax.numpy.float32)
    multiply = jax.jit(lambda a: a @ a)
    multiply(square).block_until_ready()
    start = time.process_time()
    for _ in range(10):
        multiply(square).block_until_ready()
    return 10 * 2.0 * size**3 / (time.process_time() - start)


if __name__ == "__main__":
    main()
