"""What is worth an alert, case by case."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from workers.recommend.training import alerts
from workers.recommend.training.alerts import Figures

WELL = Figures(
    events=2000, shoppers=500, cases=400, unknown_items=0.05, new_shoppers=0.1, psi=0.05, psi_by_chance=0.09,
    expected_hits=0.2, observed_hits=0.2, calibration_error=0.02, calibration_ratio=1.0, calibration_ratio_error=0.1,
    ndcg_at_10=0.1, ndcg_at_10_error=0.005, hit_rate_at_10=0.2,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "alert"),
    [
        ({}, None),
        ({"ndcg_at_10": 0.5}, None),
        ({"ndcg_at_10": 0.071}, None),  # two errors reach above .08
        ({"ndcg_at_10": 0.069}, "NDCG@10 is 0.0690 on 400 new baskets, 31% below the 0.1000 of its gate"),
        ({"ndcg_at_10": 0.069, "ndcg_at_10_error": 0.006}, None),
        ({"psi": 0.25}, None),
        ({"psi": 0.26}, "index is 0.26, above 0.25"),
        ({"psi": 0.4, "psi_by_chance": 0.5}, None),  # of few shoppers
        ({"psi": 0.6, "psi_by_chance": 0.5}, "index is 0.60, above 0.50"),
        ({"unknown_items": 0.5}, None),
        ({"unknown_items": 0.51}, "51% of the events are on items that it was not trained on"),
        ({"new_shoppers": 1.0}, None),
        ({"calibration_ratio": 0.31}, None),
        ({"calibration_ratio": 0.29}, "0.29 times as many happen"),
        ({"calibration_ratio": 2.19}, None),
        ({"calibration_ratio": 2.21}, "2.21 times as many happen"),
        ({"calibration_ratio": 0.4, "calibration_ratio_error": 0.01}, "0.40 times as many happen"),
        ({"calibration_error": 0.9}, None),
    ],
)
def test_each_figure_has_its_bound(changed: dict[str, Any], alert: str | None) -> None:
    found = alerts.decide(replace(WELL, **changed), 0.1, tolerated=0.2)
    assert len(found) == (alert is not None)
    assert (alert or "") in "; ".join(found)


@pytest.mark.parametrize(("tolerated", "alerted"), [(0.1, True), (0.2, False), (1.0, False)])
def test_what_is_tolerated_is_a_setting(tolerated: float, alerted: bool) -> None:
    assert bool(alerts.decide(replace(WELL, ndcg_at_10=0.075), 0.1, tolerated=tolerated)) is alerted


@pytest.mark.parametrize("gate_ndcg", [None, 0.0])
def test_a_gate_that_measured_nothing_is_no_bound(gate_ndcg: float | None) -> None:
    assert alerts.decide(replace(WELL, ndcg_at_10=0.0), gate_ndcg, tolerated=0.2) == []


def test_of_too_few_nothing_is_said() -> None:
    assert alerts.decide(Figures(events=49, shoppers=49, cases=49), 0.1, tolerated=0.2) == []


def test_everything_that_is_wrong_is_named() -> None:
    upset = replace(WELL, ndcg_at_10=0.0, psi=3.0, unknown_items=1.0, calibration_ratio=0.0)
    assert len(alerts.decide(upset, 0.1, tolerated=0.2)) == 4


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (None, None),
        ({"passed": True}, None),
        ({"figures": {}}, None),
        ({"figures": {"candidate": {"coverage@10": 0.5}}}, None),
        ({"figures": {"candidate": {"ndcg@10": 0.25}, "popularity": {"ndcg@10": 0.1}}}, 0.25),
    ],
)
def test_what_the_gate_measured_is_read_from_the_registry(gate: dict[str, Any] | None, expected: float | None) -> None:
    assert alerts.expected_ndcg(gate) == expected


def test_what_is_kept_is_json() -> None:
    kept = json.loads(json.dumps(replace(WELL, psi=1 / 3).as_json(), allow_nan=False))
    assert (kept["psi"], kept["cases"], kept["hit_rate_at_10"]) == (0.333333, 400, 0.2)
    assert json.loads(json.dumps(Figures().as_json()))["psi"] is None
