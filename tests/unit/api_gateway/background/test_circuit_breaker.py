"""When a worker is taken for dead, and how it is found alive again."""

from __future__ import annotations

from api_gateway.background.circuit_breaker import Patience


def _late(patience: Patience, *, count: int, start: float, end: float) -> None:
    for n in range(count):
        patience.note(start + (end - start) * n / (count - 1), in_time=False)


def test_nobody_waits_after_a_while_of_late_answers_but_one_now_and_then() -> None:
    patience = Patience()
    _late(patience, count=30, start=10.0, end=10.6)
    found = [patience.may_wait(10.6 + n / 100) for n in range(100)]
    assert found[0]
    assert 3 <= sum(found) <= 5
    assert not any(found[1:24])
    patience.note(11.7, in_time=False)
    assert sum(patience.may_wait(11.8 + n / 100) for n in range(20)) <= 1
    patience.note(12.0, in_time=True)
    assert all(patience.may_wait(12.0 + n / 100) for n in range(100))


def test_a_pause_or_a_few_late_answers_are_no_outage() -> None:
    patience = Patience()
    _late(patience, count=200, start=10.0, end=10.4)
    assert all(patience.may_wait(10.4) for _ in range(10))
    patience.note(10.41, in_time=True)
    _late(patience, count=19, start=11.0, end=30.0)
    assert all(patience.may_wait(30.0) for _ in range(10))
