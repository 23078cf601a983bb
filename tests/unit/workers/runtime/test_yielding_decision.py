"""When a training is halted for shoppers who wait, and when it goes on."""

from __future__ import annotations

import pytest

from workers.runtime.yielding import LONGEST_HALT, SHORTEST_RUN, Look, is_halted

LONG_AGO = 60.0


@pytest.mark.parametrize(
    ("wait", "halted", "seconds", "expected"),
    [
        (0.0, False, LONG_AGO, False),
        (0.4, False, LONG_AGO, False),
        (0.6, False, LONG_AGO, True),
        (0.6, False, SHORTEST_RUN - 0.1, False),
        (0.4, True, 1.0, True),
        (0.1, True, 1.0, False),
        (9.0, True, LONGEST_HALT, False),
    ],
)
def test_it_is_halted_for_who_waits_and_never_for_long(
    wait: float, halted: bool, seconds: float, expected: bool
) -> None:
    assert is_halted(Look(wait, writes=False), halted, seconds) is expected


@pytest.mark.parametrize("halted", [False, True])
def test_it_is_not_halted_amid_a_transaction_that_others_may_wait_for(halted: bool) -> None:
    assert not is_halted(Look(9.0, writes=True), halted, SHORTEST_RUN)
