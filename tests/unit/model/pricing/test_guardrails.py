"""Which prices an item may have next: every limit alone, all together on a million proposals, and contradictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import ConfigError
from model.pricing import guardrails, money
from model.pricing.guardrails import Guardrails, Present

NINES = (money.ending(".99"), money.ending(".49"))


@pytest.mark.parametrize(
    ("rails", "price", "broken"),
    [
        (Guardrails(floor=900), 899, "floor"),
        (Guardrails(ceiling=1_100), 1_101, "ceiling"),
        (Guardrails(margin=0.2), 999, "margin"),
        (Guardrails(step=0.1), 1_101, "step"),
        (Guardrails(step=0.1), 899, "step"),
        (Guardrails(competitor=(0.9, None)), 899, "competitor"),
        (Guardrails(competitor=(None, 1.05)), 1_051, "competitor"),
        (Guardrails(cooldown_hours=24), 1_010, "cooldown"),
        (Guardrails(frozen=True), 1_010, "frozen"),
        (Guardrails(endings=NINES), 1_050, "ending"),
        (Guardrails(), 849, "family"),
        (Guardrails(), 1_251, "family"),
    ],
)
def test_each_limit_is_seen_to_be_broken(rails: Guardrails, price: int, broken: str) -> None:
    present = Present(1_000, cost=800, competitor=1_000, unchanged_hours=2.0, below=850, above=1_250)
    assert guardrails.violations(present, price, rails) == (broken,)
    assert price not in guardrails.allowed(present, rails).prices


def test_prices_between_the_limits_with_the_right_ending_are_allowed() -> None:
    rails = Guardrails(floor=850, ceiling=2_000, margin=0.1, step=0.1, endings=NINES)
    found = guardrails.allowed(Present(1_000, cost=810), rails)
    assert found.prices == (949, 999, 1_049, 1_099)
    assert found.low == guardrails.Bound(900, "margin") or found.low == guardrails.Bound(900, "step")
    assert found.high == guardrails.Bound(1_100, "step")


def test_limits_that_contradict_each_other_leave_the_price_and_are_named() -> None:
    found = guardrails.allowed(Present(1_000, cost=1_000), Guardrails(margin=0.2, step=0.1))
    assert (found.prices, found.blocked) == ((), ("margin", "step"))


def test_sizes_of_a_family_cannot_pass_each_other_whichever_of_them_changes() -> None:
    small, large = Present(1_000, above=1_100), Present(1_100, below=1_000)
    assert max(guardrails.allowed(small, Guardrails()).prices) <= min(guardrails.allowed(large, Guardrails()).prices)
    assert guardrails.allowed(small, Guardrails()).high == guardrails.Bound(1_050, "family")


def test_a_family_that_is_out_of_order_may_move_towards_it_and_not_away() -> None:
    large = Present(1_000, below=1_200)
    assert min(guardrails.allowed(large, Guardrails()).prices) == 1_100
    assert [guardrails.violations(large, price, Guardrails()) for price in (999, 1_100)] == [("family",), ()]


def test_an_item_without_a_cost_is_left_alone_where_its_margin_is_to_be_kept() -> None:
    assert guardrails.allowed(Present(1_000), Guardrails(margin=0.2, needs_cost=True)).blocked == ("margin",)
    assert guardrails.allowed(Present(1_000), Guardrails(margin=0.2)).prices


def test_the_limit_that_keeps_an_item_from_its_best_price_is_named() -> None:
    found = guardrails.allowed(Present(1_000, cost=500), Guardrails(step=0.1, floor=950))
    assert guardrails.bitten(1_500.0, found) == "step"
    assert guardrails.bitten(700.0, found) == "floor"
    assert guardrails.bitten(1_020.0, found) is None


@given(
    price=st.integers(1, 10**7),
    cost=st.none() | st.integers(0, 10**7),
    competitor=st.none() | st.integers(1, 10**7),
    floor=st.none() | st.integers(0, 10**7),
    ceiling=st.none() | st.integers(1, 10**7),
    margin=st.none() | st.floats(0, 0.9),
    step=st.none() | st.floats(0.001, 1),
    low=st.none() | st.floats(0.1, 1),
    high=st.none() | st.floats(1, 3),
    endings=st.lists(st.sampled_from(["." + f"{n:02}" for n in range(100)] + ["8", "95.00"]), max_size=3),
)
def test_no_allowed_price_breaks_a_limit(  # noqa: PLR0913
    price: int,
    cost: int | None,
    competitor: int | None,
    floor: int | None,
    ceiling: int | None,
    margin: float | None,
    step: float | None,
    low: float | None,
    high: float | None,
    endings: list[str],
) -> None:
    present = Present(price, cost, competitor)
    rails = Guardrails(
        floor, ceiling, margin, False, step, 0.0, (low, high), tuple(money.ending(text) for text in endings)
    )
    found = guardrails.allowed(present, rails)
    assert all(guardrails.violations(present, each, rails) == () for each in found.prices)
    assert bool(found.prices) != bool(found.blocked)


@pytest.mark.parametrize("text", ["", ".9", "9.9", "x", "-8", ".999", "١"])
def test_a_text_that_is_no_ending_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match="price ending"):
        money.ending(text)


def test_endings_of_a_currency_without_cents_are_whole() -> None:
    assert money.ending("8", "JPY") == money.Ending(8, 10)
    assert money.to_minor(1_298.0, "JPY") == 1_298
    assert money.ending("8") == money.Ending(800, 1_000)
    with pytest.raises(ConfigError):
        money.ending(".99", "JPY")


def test_a_family_keeps_its_order() -> None:
    assert guardrails.in_order([100, 150, 150], [1, 2, 3])
    assert not guardrails.in_order([100, 90], [1, 2])
    assert guardrails.in_order([100, 90, 120], [1, 1, 2])
    assert not guardrails.in_order([100, 130, 120], [1, 1, 2])


def test_changes_that_are_checked_are_those_that_were_allowed() -> None:
    random = np.random.default_rng(0)
    rails = Guardrails(floor=100, margin=0.05, step=0.15, competitor=(0.5, 2.5), endings=NINES)
    for _ in range(2_000):
        price = int(random.integers(100, 5_000))
        present = Present(price, int(price * random.uniform(0.3, 1.1)), int(price * random.uniform(0.3, 3.0)))
        allowed = set(guardrails.allowed(present, rails).prices)
        for wish in random.integers(50, 6_000, 20).tolist():
            fits = not guardrails.violations(present, wish, rails) and wish != price
            assert (wish in allowed) == fits
