"""Assignment: always the same, even, independent of other salts, and kept by whoever was in when a share grows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.experiment.experiments import Arm, Experiment
from workers.experiment import assignment

SHOPPERS = [f"user-{number}" for number in range(20_000)]


def experiment(*shares: float, salt: str = "salt") -> Experiment:
    """Return an experiment of a control and versions v1, v2, … with these shares."""
    control, *others = shares
    arms = [Arm("control", "live", control), *(Arm(f"v{n}", f"version:v{n}", s) for n, s in enumerate(others, 1))]
    return Experiment("name", salt, tuple(arms))


def members(of: Experiment, arm: str) -> set[str]:
    return {shopper for shopper in SHOPPERS if assignment.arm_of(of, shopper).name == arm}


@pytest.mark.parametrize(
    ("salt", "shopper", "place"),
    [
        ("spring", "ann", 0.8991985192894316),
        ("spring", "session:1f", 0.0009061944409058942),
        ("spring", "zoë", 0.19601467899735292),
        ("summer", "ann", 0.6290937326152897),
    ],
)
def test_a_place_never_changes(salt: str, shopper: str, place: float) -> None:
    """Change these and every running experiment is shuffled: shoppers change arms, and its figures mean nothing."""
    assert assignment.place(salt, shopper) == place


def test_places_are_even() -> None:
    counts = [0] * 20
    for shopper in SHOPPERS:
        counts[int(assignment.place("salt", shopper) * 20)] += 1
    expected = len(SHOPPERS) / 20
    squares = sum((count - expected) ** 2 / expected for count in counts)
    assert squares < 43.8, "chi-square of 19 degrees of freedom: one in a thousand is above"


def test_another_salt_divides_independently() -> None:
    table = [[0] * 4 for _ in range(4)]
    for shopper in SHOPPERS:
        table[int(assignment.place("one", shopper) * 4)][int(assignment.place("two", shopper) * 4)] += 1
    expected = len(SHOPPERS) / 16
    squares = sum((count - expected) ** 2 / expected for row in table for count in row)
    assert squares < 37.7, "chi-square of 15 degrees of freedom: one in a thousand is above"


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.95, 0.05), (0.6, 0.3, 0.1), (0.4, 0.2, 0.2, 0.1, 0.1)])
def test_each_arm_has_its_share(shares: tuple[float, ...]) -> None:
    one = experiment(*shares)
    for arm in one.arms:
        assert len(members(one, arm.name)) / len(SHOPPERS) == pytest.approx(arm.share, abs=0.015)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((0.95, 0.05), (0.8, 0.2)),
        ((0.8, 0.2), (0.95, 0.05)),
        ((0.9, 0.05, 0.05), (0.5, 0.25, 0.25)),
        ((0.5, 0.25, 0.25), (0.9, 0.05, 0.05)),
        ((0.6, 0.2, 0.2), (0.5, 0.2, 0.3)),
    ],
)
def test_a_share_that_grows_keeps_those_who_were_in(before: tuple[float, ...], after: tuple[float, ...]) -> None:
    small, large = experiment(*before), experiment(*after)
    for was, is_now in zip(small.arms, large.arms, strict=True):
        if is_now.share >= was.share:
            assert members(small, was.name) <= members(large, was.name)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=8), st.text(max_size=8))
def test_everyone_is_in_one_arm(weights: list[float], shopper: str) -> None:
    shares = [weight / sum(weights) for weight in weights]
    one = experiment(*shares)
    place = assignment.place(one.salt, shopper)
    starts = [0.0, *(end for end, _ in one.stretches)]
    holding = [arm for start, (end, arm) in zip(starts, one.stretches, strict=False) if start <= place < end]
    assert holding == [assignment.arm_of(one, shopper)]


def test_the_version_is_that_of_the_arm_else_the_live_one() -> None:
    one = experiment(0.5, 0.5)
    versions = {
        assignment.arm_of(one, shopper).name: assignment.version_of(shopper, one, "live-1") for shopper in "abcdef"
    }
    assert versions == {"control": "live-1", "v1": "v1"}
    assert assignment.version_of("a", None, "live-1") == "live-1"
    popular = Experiment("name", "salt", (Arm("control", "live", 0.5), Arm("popular", "popular", 0.5)))
    assert {assignment.version_of(shopper, popular, "live-1") for shopper in "abcdef"} == {"live-1"}
