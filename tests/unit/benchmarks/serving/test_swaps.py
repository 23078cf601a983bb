"""The benchmark of swaps: what it calls a mixed ranking, and which requests count as during a swap."""

from collections import Counter

import pytest

from benchmarks.serving.swaps import __main__ as swaps
from benchmarks.serving.swaps.traffic import Found

EXPECTED = {
    "one": {"ann": (["a", "b", "c"], [3.0, 2.0, 1.0])},
    "two": {"ann": (["b", "a", "c"], [3.5, 2.5, 1.5])},
}


@pytest.mark.parametrize(
    ("version", "items", "scores", "mixed", "fallback"),
    [
        ("one", ("a", "b"), (3.0, 2.0), 0, 0),
        ("two", ("b", "a", "c"), (3.5, 2.5, 1.5), 0, 0),
        ("two", ("a", "b"), (3.0, 2.0), 1, 0),  # one's items under two's name
        ("one", ("a", "b"), (3.0, 2.5), 1, 0),
        ("three", ("a", "b"), (3.0, 2.0), 1, 0),
        (None, (), (), 0, 1),
    ],
)
def test_an_answer_is_what_its_version_ranked(
    version: str | None, items: tuple[str, ...], scores: tuple[float, ...], mixed: int, fallback: int
) -> None:
    found = Found(shown=Counter({("ann", version, items, scores): 2}))
    checked = swaps._checked(found, EXPECTED)
    assert (checked["mixed_rankings"], checked["from_no_own_shelf"]) == (2 * mixed, 2 * fallback)
    assert checked["answers_checked"] == 2


def test_requests_are_told_apart_by_when_they_were_due() -> None:
    found = Found(times=[(0.0, 0.010), (1.0, 0.020), (2.0, 0.5), (3.0, 0.030)], errors=Counter({"OSError: reset": 1}))
    summary = swaps._summary(found, [(0.0, 0.5), (1.0, 2.0)], [(2.0, 2.5), (2.6, 2.9)])
    assert summary["before"] == {"requests": 2, "p50_ms": 10.0, "p99_ms": 20.0}
    assert summary["during_swaps"] == {"requests": 1, "p50_ms": 500.0, "p99_ms": 500.0}
    assert (summary["p99_during_over_before"], summary["errors"]) == (25.0, 1)
    assert summary["p99_ms_of_each"] == [[10.0, 500.0], [20.0, None]]
