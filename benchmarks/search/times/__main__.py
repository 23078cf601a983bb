"""`python -m benchmarks.search.times --catalogue FILE --queries FILE`: the cost of searching and changing items.

One thread of this process, without a network. CPU times are reported next to wall times, since other programs may run
on the machine. One JSON object as the last line of stdout.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import machine
from model.catalogue import Item
from model.search import config
from model.search.engine import Engine, Parts
from model.search.learning import encoder
from workers.evaluate import search_files


def main() -> None:
    """Measure and print."""
    options = _options()
    items = search_files.catalogue(options.catalogue).items
    judged = search_files.judgements(options.queries, items, least=1.0, relevant=2.33).judged
    queries = list(judged.queries[: options.count])
    small = config.preset()
    # Untrained: an encoder's weights do not change its cost.
    with_encoder = Parts(small, encoder=encoder.Encoder(small, encoder.initial(small, seed=0)))
    result = {
        "benchmark": "search",
        **machine.describe(jax.devices()[0].device_kind),
        "items": len(items),
        "queries": len(queries),
        "lexical": _engine(Parts(small), items, queries),
        "fused": _engine(with_encoder, items, queries),
    }
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.search.times", description=__doc__)
    parser.add_argument("--catalogue", type=Path, required=True, metavar="FILE")
    parser.add_argument("--queries", type=Path, required=True, metavar="FILE", help="query, product_id, relevance")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="queries, and changes (default: 1000)")
    parser.add_argument("--out", metavar="FILE")
    return parser.parse_args()


def _engine(parts: Parts, items: list[Item], queries: list[str]) -> dict[str, Any]:
    engine = Engine(parts)
    start = time.process_time()
    engine.build(items)
    built = time.process_time() - start
    for query in queries[:3]:
        engine.find(query)
    engine.put(items[:1])  # compiles
    changed = items[: len(queries)]
    return {
        "build_processor_seconds": round(built, 1),
        "query": _times(engine.find, queries),
        "change_of_one_item": _times(lambda item: engine.put([item]), changed),
        "deletion_of_one_item": _times(lambda item: engine.remove([item.item_id]), changed),
    }


def _times(call: Callable[[Any], object], given: Iterable[Any]) -> dict[str, float]:
    clock, processor = [], []
    for each in given:
        since, busy = time.perf_counter(), time.process_time()
        call(each)
        clock.append((time.perf_counter() - since) * 1e3)
        processor.append((time.process_time() - busy) * 1e3)
    return {
        f"{name}_{part}": round(float(np.percentile(values, percentile)), 3)
        for name, values in (("ms", clock), ("processor_ms", processor))
        for part, percentile in (("p50", 50), ("p99", 99))
    }


if __name__ == "__main__":
    main()
