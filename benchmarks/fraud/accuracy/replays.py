"""Online features against offline ones, order by order over a whole file: in order, and shuffled by up to an hour."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fraud.accuracy import order_replay
from model.fraud.features import features
from model.fraud.features.features import FeatureConfig
from model.fraud.features.orders import Orders
from workers.evaluate import fraud_files

_HOUR = 3600
_SAID_EVERY = 20_000


def run(path: Path, config: FeatureConfig, *, customers: int | None = None) -> dict[str, Any]:
    """Return how many orders differ in any bit of any feature, for each replay; `customers` limits their number."""
    found = fraud_files.read(path, delay=config.mature // 86_400).found
    if customers is not None:
        found = found.take(np.flatnonzero(found.customer_N <= customers))
    began = time.process_time()
    _, offline = features.compute_all(found, config)
    seconds = time.process_time() - began
    return {
        "orders": len(found.at_N),
        "features": len(features.NAMES),
        "offline_cpu_seconds": round(seconds, 1),
        "in_order": _replayed(found, offline.values_NxF, config, most=0),
        "shuffled_by_an_hour": _replayed(found, offline.values_NxF, config, most=_HOUR),
    }


def _replayed(found: Orders, in_order_NxF: np.ndarray, config: FeatureConfig, *, most: int) -> dict[str, Any]:
    arriving = order_replay.shuffled(found, most=most, seed=0)
    _, offline = features.compute_all(arriving, config)
    began = time.process_time()
    done = order_replay.run(arriving, config, partial(_say, f"shuffled by up to {most} s", len(found.at_N)))
    seconds = time.process_time() - began
    return {
        "came_after_a_later_one": _late(arriving),
        "differ_from_offline_as_arrived": _differ(done.arrived_NxF, offline.values_NxF),
        "differ_from_offline_in_order_once_settled": _differ(done.settled_NxF, in_order_NxF),
        "changed_by_orders_that_came_late": _differ(done.arrived_NxF, in_order_NxF),
        "asked_again": done.again,
        "cpu_microseconds_per_order": round(1e6 * seconds / len(found.at_N)),
    }


def _say(name: str, orders: int, number: int) -> None:
    if number % _SAID_EVERY == 0:
        sys.stderr.write(f"{name}: {number:,} of {orders:,} orders\n")


def _late(arriving: Orders) -> int:
    """How many orders arrived after one with a later time."""
    at_N = arriving.at_N[np.argsort(arriving.arrived_N, kind="stable")]
    return int((at_N < np.maximum.accumulate(at_N)).sum())


def _differ(left_NxF: np.ndarray, right_NxF: np.ndarray) -> int:
    return int((left_NxF.view(np.int64) != right_NxF.view(np.int64)).any(1).sum())
