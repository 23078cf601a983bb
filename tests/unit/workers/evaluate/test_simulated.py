"""`reshelf pricing simulate`: shops of every form, figures that add up, the same figures for the same seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from model.pricing.evaluation import counterfactual, simulated, stress
from workers import cli
from workers.evaluate.simulated import lightgbm_demand, shops

ASKED = shops.Asked(shops=2, seed=3, days=56, items=8, proposals=100)


@pytest.fixture(scope="module")
def found() -> shops.Simulation:
    return shops.run(ASKED)


def test_shops_take_turns_in_the_forms_of_demand_and_none_comes_twice() -> None:
    each = list(shops.Asked(shops=12, seed=1).each())
    assert [form for form, _ in each[:5]] == list(simulated.FORMS)
    assert len(set(each)) == 12


def test_shares_are_of_what_the_clairvoyant_gains_and_no_guardrail_breaks(found: shops.Simulation) -> None:
    for shop in found.shops:
        fixed, best, ours = (shop.profit_T(arm).sum() for arm in (shops.FIXED, shops.BEST, shops.OURS))
        assert shop.captured(shops.OURS) == pytest.approx((ours - fixed) / (best - fixed))
        assert shop.captured(shops.BEST) == 1.0
        assert shop.regret_T(shops.BEST)[-1] == 0.0
    # Eight weeks, eight items, two learners, two shops, and those in random states.
    rails = shops.guardrails(found)
    assert rails["proposals"] == 8 * 8 * 2 * 2 + found.checked.proposals
    assert rails["violations"] == 0


def test_policies_are_estimated_from_our_log_by_both_estimators(found: shops.Simulation) -> None:
    held, count = found.coverage(shops.ROBUST)
    assert (held, count) == (sum(e.holds() for s in found.shops for e in s.judged if e.estimator == shops.ROBUST), 6)
    assert all(each.estimate.low < each.estimate.high for shop in found.shops for each in shop.judged)


def test_breaches_in_random_states_are_counted(found: shops.Simulation) -> None:
    broken = shops.Simulation(found.asked, found.shops, stress.Checked(10, 5, {"floor": 2}))
    assert shops.guardrails(broken)["violations"] == 2


def test_lightgbm_sees_nothing_of_the_units_it_predicts() -> None:
    trial = counterfactual.trial(simulated.CONSTANT, seed=1, items=4)
    expected = lightgbm_demand.expected(trial, seed=0)
    other = trial._replace(sold_NxT=trial.sold_NxT * 0, mean_NxT=trial.mean_NxT * 0)
    assert expected.shape == trial.mean_NxT.shape
    assert np.array_equal(expected, lightgbm_demand.expected(other, seed=0))


def test_the_command_prints_what_it_writes(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    asked = ["--shops", "1", "--seed", "3", "--days", "28", "--items", "8", "--proposals", "64", "--json", str(report)]
    done = CliRunner().invoke(cli.main, ["pricing", "simulate", *asked], catch_exceptions=False)
    assert done.exit_code == 0
    figures = json.loads(report.read_text("utf-8"))
    assert list(figures["kinds"]) == ["constant", "all"]
    assert f"{figures['guardrails']['proposals']:,} proposals" in done.output
    assert f"{figures['kinds']['all']['reshelf']['captured']:.3f}" in done.output
