"""`python -m benchmarks.recommend.retrieval`: progress on stderr, one JSON object as the last line of stdout.

Each way is timed alone and after the encoder, tile after tile without waiting, best of a few rounds. The encoder is
untrained: only its time matters; the ranked users are those of `vectors`, which fit the items.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import machine
from benchmarks.recommend.retrieval import faiss_index, vectors, ways
from benchmarks.recommend.retrieval.ways import Way
from model.batching import pad_rows

_K = 100
_CLOSED = 0.05
_SQUARE = 2048
# The number of rows of a matrix is a multiple of this.
_ROWS = 4096


def main() -> None:
    """Measure and print."""
    options = _options()
    result = {
        "benchmark": "retrieval",
        **machine.describe(jax.devices()[0].device_kind),
        "faiss": metadata.version("faiss-cpu") if faiss_index.available() else None,
        "dim": vectors.DIM,
        "k": _K,
        "closed": _CLOSED,
        "users": options.users,
        "tile": options.tile,
        "matmul_gflops": round(_matmul_gflops(options.rounds), 1),
        "catalogues": [_catalogue(options, kind, items) for kind in options.kinds for items in options.items],
    }
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.recommend.retrieval", description=__doc__)
    parser.add_argument("--items", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--users", type=int, default=1024, help="users ranked in a round, a multiple of the tile")
    parser.add_argument("--tile", type=int, default=128, help="users in one call")
    parser.add_argument("--spare", type=float, default=0.0, help="empty rows for each item; 1 after a doubling")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="*", default=["learned", "gaussian"], choices=["learned", "gaussian"])
    parser.add_argument("--ways", nargs="*", help="only these ways, and the plain one")
    parser.add_argument("--quick", action="store_true", help="20,000 items, 256 users, learned vectors, two rounds")
    parser.add_argument("--out", help="file to keep the result in")
    options = parser.parse_args()
    if options.quick:
        options.items, options.users, options.kinds, options.rounds = [20_000], 256, ["learned"], 2
    if options.users % options.tile:
        parser.error(f"--users {options.users} must be a multiple of --tile {options.tile}")
    return options


def _catalogue(options: argparse.Namespace, kind: str, items: int) -> dict[str, Any]:
    _say(f"{kind}, {items} items")
    host_CxD, users_BxD = getattr(vectors, kind)(items, options.users, seed=1)
    rows = -(-int(items * (1 + options.spare)) // _ROWS) * _ROWS
    vectors_CxD = jax.device_put(pad_rows(host_CxD, rows))
    open_C = jax.device_put(pad_rows(np.random.default_rng(2).random(items) >= _CLOSED, rows))
    tiles = [jax.device_put(users) for users in np.split(users_BxD, options.users // options.tile)]
    encode = ways.encoder(vectors_CxD, options.tile, seed=0)
    encoding = _timed(lambda: [encode() for _ in tiles], options)
    measured: dict[str, Any] = {}
    true_BxK = None
    for way in ways.all_of(
        vectors_CxD, open_C, _K, with_index=faiss_index.available() and items >= faiss_index.LEAST_ITEMS
    ):
        if options.ways and way.name not in (*options.ways, "plain"):
            continue
        if way.name == "plain":
            true_BxK = _slots(way, tiles)
        measured[way.name] = _measured(way, tiles, encode, options)
        if way.name not in ("products", "plain"):
            measured[way.name]["recall"] = _recall(_slots(way, tiles), true_BxK)
        _say(f"  {way.name} {measured[way.name]}")
    return {"vectors": kind, "items": items, "rows": rows, "encoder": encoding, **measured}


def _measured(way: Way, tiles: list[Any], encode: Callable[[], Any], options: argparse.Namespace) -> dict[str, Any]:
    alone = _timed(lambda: [way.search(users) for users in tiles], options)
    both = _timed(lambda: [_encoded_and_ranked(way, users, encode) for users in tiles], options)
    costs = {"memory_bytes": way.memory, "build_s": round(way.build, 2)}
    return {"search": alone, "encode_and_rank": both, **costs}


def _encoded_and_ranked(way: Way, users_BxD: Any, encode: Callable[[], Any]) -> Any:
    encoded = encode()
    if way.name == "index":  # which works on the host: its users have to be there
        jax.block_until_ready(encoded)
    return encoded, way.search(users_BxD)


def _timed(work: Callable[[], Any], options: argparse.Namespace) -> dict[str, float]:
    """Users per second in the best round, and the CPU time of all cores for one."""
    jax.block_until_ready(work())
    seconds, processor = [], []
    for _ in range(options.rounds):
        start, used = time.perf_counter(), time.process_time()
        jax.block_until_ready(work())
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return {
        "users_per_s": round(options.users / min(seconds)),
        "cpu_us_per_user": round(1e6 * min(processor) / options.users, 1),
    }


def _slots(way: Way, tiles: list[Any]) -> np.ndarray:
    return np.concatenate([np.asarray(way.search(users)[1]) for users in tiles])


def _recall(found_BxK: np.ndarray, true_BxK: np.ndarray) -> dict[str, float]:
    """How many of the true best ten and hundred are among as many found."""
    recalls = {}
    for k in (10, _K):
        pairs = zip(found_BxK[:, :k], true_BxK[:, :k], strict=True)
        recalls[f"at_{k}"] = round(float(np.mean([len(np.intersect1d(*pair)) / k for pair in pairs])), 4)
    return recalls


def _matmul_gflops(rounds: int) -> float:
    square = jax.numpy.ones((_SQUARE, _SQUARE), jax.numpy.float32)
    product = jax.jit(lambda a: a @ a)
    product(square).block_until_ready()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        product(square).block_until_ready()
        seconds.append(time.perf_counter() - start)
    return 2 * _SQUARE**3 / min(seconds) / 1e9


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
