"""Reports: every arm beside the control, corrected for their number."""

from __future__ import annotations

import msgspec
import pytest

from storage.experiment.experiments import Arm, Experiment, Outcome
from workers.experiment import confidence, report
from workers.experiment.confidence import Tally

CONTROL = Outcome(exposed=2000, clicked=200, carted=60, purchased=40, impressions=40_000, clicks=300)
BETTER = Outcome(exposed=2000, clicked=280, carted=66, purchased=41, impressions=40_000, clicks=420)


def experiment(others: int) -> Experiment:
    share = 1 / (others + 1)
    arms = [Arm("control", "live", share), *(Arm(f"v{n}", f"version:v{n}", share) for n in range(others))]
    return Experiment("name", "salt", tuple(arms))


def test_each_arm_has_rates_and_each_other_arm_differences() -> None:
    found = report.build(experiment(1), {"control": CONTROL, "v0": BETTER})
    assert [(arm.name, arm.exposed, arm.click_through) for arm in found.arms] == [
        ("control", 2000, 0.0075),
        ("v0", 2000, 0.0105),
    ]
    rate = found.arms[1].rates["click"]
    assert (rate.shoppers, rate.rate) == (280, 0.14)
    assert rate.low < 0.14 < rate.high
    assert [(one.arm, one.metric, one.primary) for one in found.differences] == [
        ("v0", "click", True),
        ("v0", "add_to_cart", False),
        ("v0", "purchase", False),
    ]
    assert found.differences[0].difference == pytest.approx(0.04)
    assert [one.verdict for one in found.differences] == ["better", "no difference yet", "no difference yet"]
    assert msgspec.json.decode(msgspec.json.encode(found), type=report.Report) == found


def test_more_arms_need_more_evidence() -> None:
    """What convinces beside one arm does not among seven, by Bonferroni."""
    outcomes = {"control": CONTROL, **{f"v{n}": CONTROL for n in range(7)}}
    outcomes["v0"] = Outcome(exposed=2000, clicked=268)
    p_value = confidence.compare(Tally(268, 2000), Tally(200, 2000)).p_value
    assert confidence.ALPHA / 7 < p_value < confidence.ALPHA
    assert report.build(experiment(1), outcomes).differences[0].verdict == "better"
    assert report.build(experiment(7), outcomes).differences[0].verdict == "no difference yet"


def test_an_experiment_without_anybody_has_no_figures() -> None:
    found = report.build(experiment(1), {"control": Outcome(), "v0": Outcome()})
    assert found.arms[0].click_through is None
    assert (found.arms[0].rates["click"].low, found.arms[0].rates["click"].high) == (0.0, 1.0)
    assert {one.verdict for one in found.differences} == {"no difference yet"}
    assert {one.lift for one in found.differences} == {None}
