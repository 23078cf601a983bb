"""What is ranked again for a new model's sake takes its share of the time, and no more."""

from __future__ import annotations

import pytest

from workers.runtime import claims


@pytest.mark.parametrize(
    ("worked", "share", "expected"),
    [(0.1, 0.5, 0.1), (0.1, 0.25, 0.3), (0.1, 1.0, 0.0), (0.1, 7.0, 0.0), (0.2, 0.0, 1.0), (5.0, 0.5, 1.0)],
)
def test_rests_in_proportion_to_the_work_and_never_long(worked: float, share: float, expected: float) -> None:
    assert claims.rest(worked, share) == pytest.approx(expected)
