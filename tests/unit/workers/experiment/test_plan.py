"""Plans: what is refused names the field and the fix."""

from __future__ import annotations

import pytest

from storage.experiment.experiments import Arm
from workers.experiment import plan
from workers.experiment.plan import Refused

HALVES = ["control=live:0.5", "new=version:recommend-1:0.5"]


@pytest.mark.parametrize(
    ("given", "arm"),
    [
        ("control=live:0.5", Arm("control", "live", 0.5)),
        ("crowd=popular:.25", Arm("crowd", "popular", 0.25)),
        ("new=version:a:b=c:0.25", Arm("new", "version:a:b=c", 0.25)),
    ],
)
def test_an_arm_is_read(given: str, arm: Arm) -> None:
    assert plan.arm(given) == arm


@pytest.mark.parametrize("given", ["control", "live:0.5", "control=live", "control=:0.5", "control=live:half", ""])
def test_what_is_no_arm_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(Refused, match=r"^arm: .*0\.5"):
        plan.arm(given)


def test_the_first_arm_is_the_control_and_the_name_is_the_salt() -> None:
    found = plan.experiment("new-model", [plan.arm(given) for given in HALVES])
    assert found.arms[0].name == "control"
    assert (found.salt, found.surface, found.canary, found.versions) == ("new-model", "home", False, ["recommend-1"])


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        (HALVES[:1], "arm: 1 arms were given; give 2 to 8"),
        (["a=live:0.5", "b=popular:0.4"], r"arm: the shares sum to 0.9 \(0.5 \+ 0.4\); make them sum to 1"),
        (["a=live:0.5", "a=popular:0.5"], "arm: 2 arms are named a; give each"),
        (["a=live:0.5", "b=newest:0.5"], "arm: b has the unknown treatment 'newest'; use `live`, `popular` or"),
        (["a=live:0.5", "b=version::0.5"], "arm: b has the unknown treatment 'version:'"),
        (["a=live:1", "b=popular:0"], "arm: the share of a is 1; give more than 0 and less than 1"),
        (["a=live:nan", "b=popular:0.5"], "arm: the share of a is nan"),
        (["a=live:0.5", "b c=popular:0.5"], "arm: 'b c' is no name"),
        ([f"v{n}=version:{n}:0.25" for n in range(4)], "arm: 4 model versions are named; name at most 2"),
    ],
)
def test_arms_that_cannot_be_are_refused(arms: list[str], message: str) -> None:
    with pytest.raises(Refused, match=message):
        plan.experiment("name", [plan.arm(given) for given in arms])


@pytest.mark.parametrize("name", ["", "a/b", "-x", "x" * 101, "a:b"])
def test_names_and_salts_stand_in_paths(name: str) -> None:
    arms = [plan.arm(given) for given in HALVES]
    with pytest.raises(Refused, match="^name: "):
        plan.experiment(name, arms)
    if name:
        with pytest.raises(Refused, match="^salt: "):
            plan.experiment("fine", arms, salt=name)


def test_a_larger_canary_has_the_salt_of_the_smaller() -> None:
    small, large = plan.canary("recommend-1", 0.05), plan.canary("recommend-1", 0.2, number=2)
    assert (small.name, large.name) == ("canary-recommend-1", "canary-recommend-1-2")
    assert small.salt == large.salt
    assert [(arm.treatment, arm.share) for arm in small.arms] == [("live", 0.95), ("version:recommend-1", 0.05)]


@pytest.mark.parametrize("share", [0, -0.1, 0.51, float("nan")])
def test_a_canary_has_a_small_share(share: float) -> None:
    with pytest.raises(Refused, match=r"share: .* at most 0\.5"):
        plan.canary("recommend-1", share)
