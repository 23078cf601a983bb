"""Pace: work that is worth doing a few times a second, and what is known of it in between."""

from __future__ import annotations

import pytest

from workers.recommend.pace import Pace


class Clock:
    """A clock that a test sets, and work of which it says what comes of it, and how long it takes."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.done: list[float] = []
        self.comes = True
        self.takes = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self) -> bool:
        self.done.append(self.now)
        self.now += self.takes
        return self.comes


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(every=0.25, clock=clock)


def test_it_is_done_at_once_and_then_at_most_once_in_a_while(clock: Clock, pace: Pace) -> None:
    for step in range(41):
        clock.now = 1000.0 + step / 16  # sixteenths have no rounding
        assert pace.keep(clock.work)
    assert clock.done == [1000.0 + n / 4 for n in range(11)]


def test_what_failed_is_done_again_the_next_time(clock: Clock, pace: Pace) -> None:
    clock.comes = False
    assert not pace.keep(clock.work)
    assert not pace.keep(clock.work)
    clock.comes = True
    assert pace.keep(clock.work)
    assert pace.keep(clock.work)
    assert clock.done == [1000.0] * 3
    clock.now, clock.comes = 1001.0, False
    assert not pace.keep(clock.work)  # what came of it before counts no more
    assert not pace.keep(clock.work)
    assert clock.done == [1000.0] * 3 + [1001.0] * 2


def test_what_raised_is_done_again_the_next_time(clock: Clock, pace: Pace) -> None:
    def broken() -> bool:
        clock.done.append(clock.now)
        raise ConnectionError("no database")

    assert pace.keep(clock.work)
    clock.now = 1000.5
    for _ in range(2):
        with pytest.raises(ConnectionError):
            pace.keep(broken)
    assert pace.keep(clock.work)
    assert pace.keep(clock.work)
    assert clock.done == [1000.0] + [1000.5] * 3


def test_what_takes_long_takes_a_tenth_of_the_time_at_most(clock: Clock, pace: Pace) -> None:
    clock.takes = 0.5
    assert pace.keep(clock.work)
    for _ in range(8):
        clock.now += 0.5
        assert pace.keep(clock.work)
    assert clock.done == [1000.0]
    clock.now += 0.5
    assert pace.keep(clock.work)
    assert clock.done == [1000.0, 1005.0]
