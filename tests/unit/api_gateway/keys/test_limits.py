"""Rates and daily quotas, with a clock of the test's own."""

from __future__ import annotations

import pytest

from api_gateway.keys import limits
from api_gateway.keys.limits import Limits

DAY = 86_400.0
NOON = 20_000 * DAY + DAY / 2


def test_a_rate_allows_a_second_of_it_at_once_and_then_as_much_as_time_passes() -> None:
    limited = Limits(10, None)
    assert [limited.wait(NOON) for _ in range(10)] == [0.0] * 10
    assert limited.wait(NOON) == pytest.approx(0.1)
    assert limited.wait(NOON + 0.15) == 0.0
    assert limited.wait(NOON + 0.15) > 0
    assert [limited.wait(NOON + 60) for _ in range(11)].count(0.0) == 10


def test_a_rate_below_one_allows_one_now_and_then() -> None:
    limited = Limits(0.5, None)
    assert limited.wait(NOON) == 0.0
    assert limited.wait(NOON) == pytest.approx(2.0)
    assert limited.wait(NOON + 2) == 0.0


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    limited = Limits(1, None)
    assert limited.wait(NOON) == 0.0
    assert limited.wait(NOON - 60) == pytest.approx(1.0)


def test_a_quota_ends_with_the_day_of_utc() -> None:
    limited = Limits(None, 2)
    limited.counted(1, NOON)
    assert limited.wait(NOON) == 0.0
    assert limited.wait(NOON) == DAY / 2
    assert limited.wait(NOON + DAY / 2) == 0.0


def test_what_other_processes_counted_is_taken_over_and_what_came_here_is_counted_once() -> None:
    limited = Limits(None, 10)
    limited.counted(0, NOON)
    for _ in range(3):
        limited.wait(NOON)
    assert (limited.taken(), limited.taken()) == (3, 0)
    limited.counted(9, NOON)
    assert limited.wait(NOON) == 0.0
    assert limited.wait(NOON) > 0
    assert limited.taken() == 1


@pytest.mark.parametrize(("seconds", "header"), [(0.01, "1"), (1.0, "1"), (1.2, "2"), (43_200.0, "43200")])
def test_the_header_has_whole_seconds(seconds: float, header: str) -> None:
    assert limits.retry_after(seconds) == header
