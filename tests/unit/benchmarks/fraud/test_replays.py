"""The replay of the benchmark on a small file: it finds no difference, and would find one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fraud.accuracy import order_replay, replays
from benchmarks.fraud.accuracy.order_replay import Replayed
from model.fraud.features.features import FeatureConfig
from tests.support import fraud


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return fraud.write(tmp_path / "transactions.csv", fraud.shop(customers=12, terminals=15, days=25))


def test_online_and_offline_are_the_same(file: Path) -> None:
    found = replays.run(file, FeatureConfig())
    for replayed in (found["in_order"], found["shuffled_by_an_hour"]):
        assert replayed["differ_from_offline_as_arrived"] == 0
        assert replayed["differ_from_offline_in_order_once_settled"] == 0
    assert found["in_order"]["came_after_a_later_one"] == 0
    assert found["shuffled_by_an_hour"]["came_after_a_later_one"] > 0
    assert found["orders"] == 12 * 25 * 2


def test_one_bit_is_a_difference(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = order_replay.run

    def _bent(*args: object) -> Replayed:
        done = run(*args)  # type: ignore[arg-type]
        done.arrived_NxF[7, 3] = np.nextafter(done.arrived_NxF[7, 3], 9.0)
        return done

    monkeypatch.setattr(order_replay, "run", _bent)
    found = replays.run(file, FeatureConfig())
    assert found["in_order"]["differ_from_offline_as_arrived"] == 1
