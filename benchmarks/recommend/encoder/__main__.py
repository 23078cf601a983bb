"""`python -m benchmarks.recommend.encoder`: how fast a published encoder is; one JSON object, the last line of stdout.

Times are wall time and the CPU time of this process: if other programs run, the second is more reliable. Nothing is
compiled while it is measured.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from benchmarks import machine
from model.text.bert import encoder

_QUERY = "cordless drill 18v"
_QUERIES = 50


def main() -> None:
    """Measure and print."""
    options = _options()
    loaded = encoder.load(options.encoder)
    with gzip.open(options.catalogue, "rt", encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)][:: options.every]
    loaded.encode(titles)
    loaded.encode([_QUERY], role="query")
    result = {
        "benchmark": "encoder",
        **machine.describe(jax.devices()[0].device_kind),
        "encoder": Path(options.encoder).name,
        "titles": len(titles),
        "titles_per_second": _rates(len(titles), lambda: loaded.encode(titles)),
        "queries_per_second": _rates(
            _QUERIES, lambda: [loaded.encode([_QUERY], role="query") for _ in range(_QUERIES)]
        ),
    }
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    sys.stdout.write(json.dumps(result) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.recommend.encoder", description=__doc__)
    parser.add_argument("--encoder", metavar="FOLDER", required=True)
    parser.add_argument("--catalogue", metavar="FILE", required=True, help="a gzipped CSV with a column `title`")
    parser.add_argument("--every", type=int, default=60, help="one title of so many")
    parser.add_argument("--out", metavar="FILE")
    return parser.parse_args()


def _rates(count: int, work: Callable[[], Any]) -> dict[str, float]:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    return {"by_the_clock": round(count / clock, 1), "of_processor_time": round(count / processor, 1)}


if __name__ == "__main__":
    main()
